"""The demo: a shop's believable day through the real program, on a real broker."""
