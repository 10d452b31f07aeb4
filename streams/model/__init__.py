"""The vocabulary: frozen values, no behaviour beyond small pure functions."""
