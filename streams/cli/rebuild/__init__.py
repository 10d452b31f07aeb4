"""`streams rebuild`: a table computed anew."""
