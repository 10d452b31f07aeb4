"""`streams schemas`: releases of ours, drift of others."""
