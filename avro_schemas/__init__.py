"""Avro schemas of every record that this program reads or writes; README.md tells how they may change."""
