"""Opening the state on disk: made where there is none, and made anew where it is of no use."""

from __future__ import annotations

import logging
import shutil
from typing import TYPE_CHECKING

from rocksdict import Rdict

from streams.engine.state.checkpoint import REASONS, Reason
from streams.engine.state.local_state import DAMAGED, SETTING, LocalState
from streams.engine.state.options import rocks_options
from streams.engine.state.write_batch import FORMAT, FORMAT_KEY
from streams.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["open_local_state"]

_UNUSABLE = ("No space left", "File too large", "Permission denied", "Read-only file system")
"""What RocksDB says of a place where it cannot write; the files themselves are good."""

log = logging.getLogger(__name__)


def open_local_state(directory: Path, cache_mib: int) -> LocalState:
    """Open the state in a directory, which is made if it is missing.

    Args:
        directory: of this process alone.
        cache_mib: memory for blocks and for what is not on disk yet, in MiB.

    Raises:
        ConfigurationError: another process has it, or it cannot be written to.
    """
    place = directory / "rocksdb"
    dropped: Reason | None = None
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if (directory / DAMAGED).exists():
            dropped = _drop(place, "damaged", "it was marked so")
            (directory / DAMAGED).unlink()
    except OSError as error:
        raise ConfigurationError(SETTING, f"{directory}: {error.strerror}", "Mend it") from error
    for _ in range(2):
        try:
            database, found = _open(place, cache_mib)
        except Exception as error:  # noqa: BLE001 - RocksDB has one kind for everything
            _refuse(directory, str(error))
            dropped = _drop(place, "damaged", str(error))
            continue
        if found == FORMAT:
            return LocalState(directory, database, dropped)
        database.close()
        dropped = _drop(place, "format", f"it is {found!r}, ours is {FORMAT!r}")
    raise ConfigurationError(SETTING, f"{place} cannot be made anew", "Remove it")


def _open(place: Path, cache_mib: int) -> tuple[Rdict, bytes | None]:
    """Return the database and the format that it has; what is new gets ours."""
    database = Rdict(str(place), rocks_options(cache_mib))
    try:
        found = database.get(FORMAT_KEY)
        if found is None and next(iter(database.keys()), None) is None:
            database.put(FORMAT_KEY, FORMAT)
            found = FORMAT
    except BaseException:
        database.close()
        raise
    return database, found


def _refuse(directory: Path, problem: str) -> None:
    """Raise if the files are good, and only not for us."""
    if "LOCK: " in problem:
        raise ConfigurationError(
            SETTING,
            f"another process works in {directory}",
            "Give each worker of a machine a `kafka.instance_id` of its own, or another directory",
        )
    if any(text in problem for text in _UNUSABLE):
        raise ConfigurationError(SETTING, f"{directory}: {problem}", "Mend it, or set another")


def _drop(place: Path, reason: Reason, detail: str) -> Reason:
    log.warning("%s is dropped: %s (%s)", place, REASONS[reason], detail)
    shutil.rmtree(place, ignore_errors=True)
    return reason
