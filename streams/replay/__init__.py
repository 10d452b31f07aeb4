"""Doing again what was given up on: dead letters read, redriven, purged, and counted.

letters      a dead letter as it is listed, and filters
reading      the letters that stand on a topic
obstacles    which letters cannot be redriven, and why
redrive      a letter's own bytes to where they came from; tombstones
transaction  appends that become visible together; one command at a time
showing      one letter, whole
depth        how many letters stand, and how old the oldest is
gauges       the same, as metrics
"""

from __future__ import annotations
