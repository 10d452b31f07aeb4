"""A table of one moment, in files: a manifest, and the rows of each partition.

`manifest.json` says of which topic's records the rows were made, up to which offset in each
partition, and what each file must look like. It is written last, so a folder without one is not
whole. In gzip, row after row: the lengths of key and row, four bytes each, the most significant
first; the key; the row as the table keeps it, msgpack. The files hold personal data: nobody but
their owner may read them.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import struct
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Final

import msgspec

from streams.engine.batch import Position
from streams.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

MANIFEST: Final = "manifest.json"
FORMAT: Final = 1
_PRIVATE: Final = 0o600
_LENGTHS: Final = struct.Struct(">II")


class PartitionFile(msgspec.Struct, frozen=True, kw_only=True):
    """One partition of the table.

    Attributes:
        partition: its number.
        offset: the next record of the topic.
        stream_time: epoch milliseconds; timers due by then have fired.
        file: name of the file.
        rows: how many it holds.
        sha256: of the file's bytes.
    """

    partition: int
    offset: int
    stream_time: int
    file: str
    rows: int
    sha256: str

    @property
    def position(self) -> Position:
        """Where a table goes on that begins with these rows."""
        return Position(self.offset, str(self.stream_time))


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """What the rows were made of: offsets mean something in this topic alone.

    Attributes:
        cluster: the cluster's id.
        topic: the source topic's name.
        topic_id: its own id, which one that is made anew does not keep.
    """

    cluster: str
    topic: str
    topic_id: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What `manifest.json` says.

    Attributes:
        source: whose table it is.
        origin: the topic.
        generation: of the table.
        taken_at: epoch milliseconds.
        row: names of a row's fields, in the order in which they are kept.
        partitions: every partition of the topic.
        checksum: of all the above.
        format: of these files.
    """

    source: str
    origin: Origin
    generation: int
    taken_at: int
    row: tuple[str, ...]
    partitions: tuple[PartitionFile, ...]
    checksum: str = ""
    format: int = FORMAT

    def sealed(self) -> Manifest:
        """The manifest with its checksum."""
        return msgspec.structs.replace(self, checksum=self._sum())

    def is_whole(self) -> bool:
        """Whether it is as it was written."""
        return self.checksum == self._sum()

    def _sum(self) -> str:
        bare = msgspec.structs.replace(self, checksum="")
        return hashlib.sha256(msgspec.json.encode(bare, order="deterministic")).hexdigest()


def begin_folder(folder: Path) -> None:
    """Make a folder for a snapshot; raises `ConfigurationError` where there is something in it."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        filled = any(folder.iterdir())
    except OSError as error:
        raise ConfigurationError("--to", f"{folder}: {error.strerror}", "Name another") from None
    if filled:
        raise ConfigurationError("--to", f"{folder} is not empty", "Name a new folder")


def write_partition(
    folder: Path, partition: int, position: Position, rows: Iterable[tuple[bytes, bytes]]
) -> PartitionFile:
    """Write one partition's rows; raises `OSError`."""
    name, count = f"partition-{partition:05}.rows.gz", 0
    with _private(folder / name) as opened:
        with gzip.GzipFile(fileobj=opened, mode="wb", compresslevel=4, mtime=0) as packed:
            for key, row in rows:
                packed.write(_LENGTHS.pack(len(key), len(row)) + key + row)
                count += 1
        opened.flush()
        os.fsync(opened.fileno())
    return PartitionFile(
        partition=partition,
        offset=position.offset,
        stream_time=int(position.metadata) if position.metadata.isdecimal() else 0,
        file=name,
        rows=count,
        sha256=_hash(folder / name),
    )


def finish_folder(folder: Path, manifest: Manifest) -> None:
    """Write the manifest, sealed; raises `OSError`."""
    text = msgspec.json.format(msgspec.json.encode(manifest.sealed()), indent=2)
    with _private(folder / MANIFEST) as opened:
        opened.write(text + b"\n")


class Snapshot:
    """A snapshot that was read and found whole.

    Attributes:
        manifest: what it says of itself.
    """

    def __init__(self, place: Path) -> None:
        """Look at all of it.

        Args:
            place: the folder, or the manifest in it.

        Raises:
            ConfigurationError: it is none, or a part of it is missing or damaged.
        """
        self._folder = place.parent if place.name == MANIFEST else place
        self.manifest = self._manifest()
        for each in self.manifest.partitions:
            self._check(each)

    def rows(self, partition: int) -> Iterator[tuple[bytes, bytes]]:
        """The rows of a partition, as they were written."""
        file = next(each for each in self.manifest.partitions if each.partition == partition)
        with gzip.open(self._folder / file.file) as packed:
            while lengths := packed.read(_LENGTHS.size):
                of_key, of_row = _LENGTHS.unpack(lengths)
                yield packed.read(of_key), packed.read(of_row)

    def position(self, partition: int) -> Position:
        """Where a partition goes on."""
        found = {each.partition: each for each in self.manifest.partitions}
        return found[partition].position

    def _manifest(self) -> Manifest:
        try:
            manifest = msgspec.json.decode((self._folder / MANIFEST).read_bytes(), type=Manifest)
        except OSError:
            problem = f"there is no {MANIFEST} in {self._folder}: it was never finished"
            raise _refused(problem) from None
        except msgspec.DecodeError:
            raise _refused(f"{self._folder / MANIFEST} is damaged, or of another format") from None
        if manifest.format != FORMAT:
            raise _refused(f"its format is {manifest.format}, this version reads {FORMAT}")
        if not manifest.is_whole():
            raise _refused(f"{self._folder / MANIFEST} is not as it was written")
        return manifest

    def _check(self, file: PartitionFile) -> None:
        place = self._folder / file.file
        found = None
        with suppress(OSError):
            found = _hash(place)
        if found is None:
            raise _refused(f"{place} is missing")
        if found != file.sha256:
            raise _refused(f"{place} is damaged: its checksum is another")


def _refused(problem: str) -> ConfigurationError:
    return ConfigurationError("--from-snapshot", problem, "Take another snapshot")


def _private(place: Path) -> IO[bytes]:
    return os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE), "wb")


def _hash(place: Path) -> str:
    with place.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
