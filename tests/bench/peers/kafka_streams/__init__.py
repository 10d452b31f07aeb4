"""Kafka Streams, exactly once: a small Java program of our own, compiled here and run as a peer.

`java/` is the reference job on the Processor API; its settings, and why, are in `Settings.java`.
The jars come from Maven Central as the broker's do, pinned in `kafka-streams.sha256`; compiling
needs a JDK (17 or later), and where there is none the peer is skipped by name.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

from streams.demo.java import BrokerError, JarSet, jars
from tests.bench.peers.quix_home import NotAvailable

__all__ = ["NotAvailable", "command", "missing"]

JARS = JarSet(
    "Kafka Streams",
    "org.apache.kafka:kafka-streams:4.1.1+org.apache.avro:avro:1.12.1"
    "+org.slf4j:slf4j-simple:1.7.36",
    Path(__file__).with_name("kafka-streams.sha256"),
    95,
)
SOURCES = Path(__file__).with_name("java")
CLASSES = Path(__file__).parents[4] / ".run" / "bench" / "kafka-streams"
TRIED = "KAFKA_STREAMS_SETTINGS"
"""An environment variable of settings to try instead: `commit.interval.ms=500 …`."""
RELEASE = 17
"""Of the language and of the class files: any later runtime takes them."""

HEAP_MIB = 256
"""For each stream thread: twice as much made it no faster, and larger at its peak."""

JVM_FLAGS = (
    "-XX:+UseSerialGC",
    "-XX:+ExitOnOutOfMemoryError",
    "-XX:-UsePerfData",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
)


def missing() -> str | None:
    """Say why the peer cannot run on this machine, or None; what it needs is fetched and made."""
    try:
        _class_path()
    except NotAvailable as reason:
        return str(reason)
    return None


def command(
    bootstrap: str, prefix: str, partitions: int, threads: int, directory: Path
) -> list[str]:
    """Return the command that starts it: one process, which ends on SIGTERM.

    It reads `P.in`, writes `P.attentive` and the others, and commits as the group
    `P-kafka-streams`; Streams itself makes its changelog, `P-kafka-streams-rows-changelog`.

    Args:
        bootstrap: `host:port` of the broker.
        prefix: `P`, of topics and group.
        partitions: of the source and the outputs.
        threads: stream threads.
        directory: exists; state and the native library go to it.

    Raises:
        NotAvailable: it cannot run on this machine; the text says why.
    """
    class_path = _class_path()
    tried = os.environ.get(TRIED, "").split()
    return [
        str(_jdk() / "java"), *JVM_FLAGS, f"-Xmx{HEAP_MIB * threads}m",
        f"-Djava.io.tmpdir={directory}",
        "-cp", class_path, "ReferenceJob",
        "--bootstrap", bootstrap,
        "--prefix", prefix,
        "--partitions", str(partitions),
        "--threads", str(threads),
        "--directory", str(directory / "state"),
        *(word for pair in tried for word in ("--set", pair)),
    ]  # fmt: skip


def _jdk() -> Path:
    """The folder of `java` and `javac`: what `JAVA_HOME` names, else what the path has."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("javac", path=f"{home}/bin") if home else None
    found = found or shutil.which("javac")
    if found is None:
        raise NotAvailable("no JDK (javac) on this machine")
    return Path(found).resolve().parent  # beside a link to javac there may be another java


def _class_path() -> str:
    """Fetch the jars and compile, if that is not done yet."""
    compiler = _jdk() / "javac"
    version = _call(compiler, "-version")
    number = re.search(r"javac (\d+)", version)
    if number is None or int(number[1]) < RELEASE:
        raise NotAvailable(f"its JDK is older than {RELEASE}: {version.strip()}")
    try:
        libraries = [str(jar) for jar in jars(wanted=JARS)]
    except BrokerError as error:
        raise NotAvailable(str(error)) from error
    return os.pathsep.join([str(_compiled(compiler, libraries, version)), *libraries])


def _compiled(compiler: Path, libraries: list[str], version: str) -> Path:
    """The folder of the class files, made once for the sources, the jars and the compiler."""
    sources = sorted(SOURCES.glob("*.java"))
    digest = hashlib.sha256(version.encode())
    for source in (*sources, JARS.pinned):
        digest.update(hashlib.sha256(source.read_bytes()).digest())
    home = CLASSES / digest.hexdigest()[:12]
    if home.is_dir():
        return home
    CLASSES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CLASSES, prefix="compile-") as scratch:
        ready = Path(scratch) / "ready"
        how = ("-proc:none", "--release", str(RELEASE))
        where = ("-cp", os.pathsep.join(libraries), "-d", str(ready))
        _call(compiler, *how, *where, *map(str, sources))
        with suppress(OSError):  # another process was first, with the same files
            ready.rename(home)
    return home


def _call(*words: str | Path) -> str:
    """What a tool prints; raises `NotAvailable` with that when it fails."""
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    printed = done.stdout + done.stderr
    if done.returncode:
        raise NotAvailable(f"{Path(words[0]).name} failed: {printed.strip()}")
    return printed
