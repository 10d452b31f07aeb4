"""`streams timeline`: a customer's story."""
