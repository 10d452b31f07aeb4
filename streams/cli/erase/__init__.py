"""`streams erase`, and who was erased already."""
