"""The machine: room on disk and in memory for the state that is to be kept here."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .findings import Finding, bad, ok, warn

if TYPE_CHECKING:
    from collections.abc import Iterator

_MIB: Final = 1 << 20
_ROW_IN_MEMORY: Final = 1_350
"""Bytes that a median row takes in memory, with its key and what holds them (`bench memory`)."""
_LEAST_DISK: Final = 1 << 30


def free_memory(root: Path = Path("/")) -> int:
    """Bytes that may still be used here: the machine's, or less where a container's limit is less.

    `root`: of the file system in which the kernel says so.
    """
    free = _told(root / "proc/meminfo", r"MemAvailable:\s+(\d+) kB") * 1_024
    limit = _told(root / "sys/fs/cgroup/memory.max", r"(\d+)")
    used = _told(root / "sys/fs/cgroup/memory.current", r"(\d+)")
    return min(free, limit - used) if limit else free


def _told(file: Path, pattern: str) -> int:
    with suppress(OSError):
        found = re.search(pattern, file.read_text())
        if found is not None:
            return int(found[1])
    return 0


def judge_memory(rows: int, free: int, store: str) -> Finding:
    """Whether a table fits: `rows` at most, `free` bytes of memory that may be used here.

    Never more than a warning: rows are told by the changelog's offsets, of which compaction has
    left far fewer.
    """
    if store != "memory":
        return ok("memory", f"rows are on disk; {free // _MIB:,} MiB are free")
    needed = rows * _ROW_IN_MEMORY
    says = f"at most {rows:,} rows take {needed // _MIB:,} MiB, {free // _MIB:,} MiB are free"
    if needed > free // 2:
        fix = 'derive.state_store = "rocksdb" keeps rows on disk; or share them among workers'
        return warn("memory", says, fix)
    return ok("memory", says)


def judge_disk(free: int, directory: str, store: str) -> Iterator[Finding]:
    """Whether there is room where RocksDB's files go: `free` bytes there."""
    if store == "memory":
        return
    says = f"{free // _MIB:,} MiB are free in {directory}"
    if free < _LEAST_DISK:
        yield bad("disk", says, "Make room, or set derive.state_directory to another disk")
    else:
        yield ok("disk", says)
