"""`streams doctor`: what would keep a set-up from working."""
