"""The keys of an address, from a file that may change while the process runs."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from streams.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

log = logging.getLogger(__name__)

_LOOK_SECONDS: Final = 1.0


class Keys:
    """The keys in one file, one a line; looked at once a second at most. For one thread."""

    def __init__(
        self,
        setting: str,
        file: Path,
        monotonic: Callable[[], float],
        usable: Callable[[str], bool] = bool,
    ) -> None:
        """Read them.

        Args:
            setting: names the file in errors.
            file: with a key a line.
            monotonic: seconds.
            usable: whether a key has the form that it needs.

        Raises:
            ConfigurationError: no such file, no key in it, or one that is none.
        """
        self._setting = setting
        self._file = file
        self._monotonic = monotonic
        self._usable = usable
        self._looked_at = monotonic()
        self._keys, self._state = self._read()

    def __call__(self) -> tuple[str, ...]:
        """The keys now; the former ones stay while the file is not readable or has none."""
        now = self._monotonic()
        if now - self._looked_at >= _LOOK_SECONDS:
            self._looked_at = now
            try:
                if self._look() != self._state:
                    self._keys, self._state = self._read()
                    log.info("%s: the keys have changed", self._setting)
            except (ConfigurationError, OSError) as error:
                self._state = None  # looked at again, and told of again, when it has changed
                log.error("%s: the former keys stay: %s", self._setting, error)  # noqa: TRY400
        return self._keys

    def _look(self) -> tuple[int, int]:
        stat = self._file.stat()
        return stat.st_mtime_ns, stat.st_size

    def _read(self) -> tuple[tuple[str, ...], tuple[int, int] | None]:
        try:
            state, text = self._look(), self._file.read_text()
        except (OSError, UnicodeDecodeError) as error:
            what = getattr(error, "strerror", None) or "no text"
            raise ConfigurationError(self._setting, f"not readable ({what})", "Mend it") from None
        keys = tuple(line.strip() for line in text.splitlines() if line.strip())
        if not keys or not all(map(self._usable, keys)):
            problem = "a key in it has the wrong form" if keys else "there is no key in it"
            raise ConfigurationError(self._setting, problem, "Write each key on a line of its own")
        return keys, state
