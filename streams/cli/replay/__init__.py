"""`streams replay`: planned, run, followed, told."""
