"""`streams connections`, and what a connection is by its settings."""
