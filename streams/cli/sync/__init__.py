"""`streams sync`: what a source has, in rounds."""
