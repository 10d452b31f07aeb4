"""`streams worker`: the roles derive, hydrate, rekey and deliver, from their settings."""
