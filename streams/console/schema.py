"""The index's tables, as SQL.

A **chunk** holds records of one customer that were read together and were recorded on one day, so a
page is a range of one index, and a day that is over goes away whole. `class` tells what is kept for
how long apart: records of sources, from which stories are computed, and what came of them.
Customers are numbers, of which none is given twice; their key stands in one place, everything else
that names somebody is a keyed hash. `position.next` is the offset behind what was read.
"""

from __future__ import annotations

from typing import Final

VERSION: Final = 2
"""Of these tables and of what stands in chunks; an index of another one is emptied."""

PAGE_BYTES: Final = 8_192
"""Chunks are about a kilobyte; a smaller page would have many of them spill over."""

CREATE: Final = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS topic (
  id INTEGER PRIMARY KEY, name TEXT UNIQUE, kind TEXT, of TEXT,
  identity TEXT, partitions INTEGER, followed INTEGER);
CREATE TABLE IF NOT EXISTS position (
  topic INTEGER, partition INTEGER, next INTEGER, ending INTEGER,
  PRIMARY KEY (topic, partition)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS customer (
  id INTEGER PRIMARY KEY AUTOINCREMENT, token BLOB UNIQUE, key BLOB);
CREATE TABLE IF NOT EXISTS alias (
  hash BLOB, customer INTEGER, source TEXT, at INTEGER,
  PRIMARY KEY (hash, customer, source)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS alias_of ON alias (customer, source);
CREATE TABLE IF NOT EXISTS chunk (
  id INTEGER PRIMARY KEY, customer INTEGER, class INTEGER, day INTEGER, body BLOB);
CREATE INDEX IF NOT EXISTS chunk_of ON chunk (customer, class, day);
CREATE INDEX IF NOT EXISTS chunk_day ON chunk (class, day);
CREATE TABLE IF NOT EXISTS mark (
  topic INTEGER, partition INTEGER, offset INTEGER, key BLOB, body BLOB,
  PRIMARY KEY (topic, partition, offset)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS minute (
  at INTEGER, connection TEXT, outcome TEXT, count INTEGER,
  PRIMARY KEY (at, connection, outcome)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tried (
  connection TEXT, outcome TEXT, at INTEGER, PRIMARY KEY (connection, outcome)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS erased (token BLOB PRIMARY KEY, at INTEGER) WITHOUT ROWID;
"""

TABLES: Final = (
    "meta",
    "topic",
    "position",
    "customer",
    "alias",
    "chunk",
    "mark",
    "minute",
    "tried",
    "erased",
)
