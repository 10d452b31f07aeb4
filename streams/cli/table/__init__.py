"""`streams table`: rows shown, and kept as a snapshot."""
