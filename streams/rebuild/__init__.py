"""Computing a source's table anew, beside the one that derive keeps, and taking its place.

reading    how records are read this time: without the erased, from their original bodies
snapshot   a table of one moment, in files
building   partition by partition: what is rebuilt beside what is kept
comparing  rows against rows, pure
switching  the rebuilt one becomes the one that derive keeps
"""
