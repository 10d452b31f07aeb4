"""Doing again what was given up on: dead letters read, redriven, purged, and counted.

letters      a dead letter as it is listed, and filters
reading      the letters that stand on a topic
obstacles    which letters cannot be redriven, and why
redrive      a letter's own bytes to where they came from; tombstones
transaction  appends that become visible together; one command at a time
showing      one letter, whole
depth        how many letters stand, and how old the oldest is
gauges       the same, as metrics

Deliveries that are sent again:

selection    which are meant
plan         what would come of each, by deliver's own functions
prospects    the same, counted
pace         how fast the low lane goes beside live traffic
differences  what a body would say now beside what was sent, by hashes
survey       a plan's deliveries, outcomes and versions, read
runs         a run, as the control topic keeps it
running      a run's deliveries, appended each exactly once
report       what came of a run

People who are to be forgotten:

people         who is meant
erase_records  what has them erased, as a source topic takes it
erasing        what is held of them, and the records that begin it
marks          what tables hold of them afterwards: the mark that is left, or still a row
remaining      … and topics
certificate    what is gone, what was asked of whom, what remains until when
rewriting      a source topic copied without them
"""

from __future__ import annotations
