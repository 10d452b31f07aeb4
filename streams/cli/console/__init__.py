"""`streams console`, and what its pages ask."""
