"""`streams topics`: made, and copied without the erased."""
