"""`streams reconcile`: our rows beside those of others."""
