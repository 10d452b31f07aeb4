"""Avro schemas of every record that is read or written; README.md tells how they may change."""
