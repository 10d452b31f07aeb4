"""`streams dead-letters`: letters found, shown, settled."""
