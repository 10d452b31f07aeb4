"""1 decode: what a source says → `Event`. One room per source; they are unaware of each other."""
