"""`streams dead-letters` as a child process, and the dead letters as they stand on their topics."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from streams.avro import codec
from streams.demo.observation import Topics
from streams.engine.kafka import KafkaSettings
from streams.names import Names
from streams.replay.reading import REDRIVEN_AT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confluent_kafka import Message

PATIENCE = 60.0
LETTER = codec("dead_letter")


class Said(NamedTuple):
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str


class Letters:
    """One prefix's dead letters, and the commands on them."""

    def __init__(self, bootstrap: str, prefix: str, environment: Mapping[str, str]) -> None:
        self.names = Names(prefix)
        self.kafka = KafkaSettings(bootstrap=bootstrap)
        self.topics = Topics(bootstrap)
        self.environment = {
            "STREAMS_PREFIX": prefix,
            "STREAMS_KAFKA__BOOTSTRAP": bootstrap,
            **environment,
        }

    def run(self, *arguments: str, **more: str) -> Said:
        """Run a command; `more` are further variables of its environment."""
        done = subprocess.run(
            [sys.executable, "-m", "streams", *arguments],
            env=dict(os.environ) | self.environment | more,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    def do(self, *arguments: str, **more: str) -> str:
        """Run `streams dead-letters …` to its good end; what it printed."""
        said = self.run("dead-letters", *arguments, **more)
        assert said.code == 0, said
        return said.out

    def redrive(self, *arguments: str) -> str:
        """Redrive what the plan shows; what was printed."""
        plan = self.do("redrive", *arguments)
        number = plan.partition("would append ")[2].partition(" ")[0].replace(",", "")
        return self.do("redrive", *arguments, "--execute", "--yes", number)

    def listed(self, *arguments: str) -> list[dict[str, Any]]:
        """The letters that `list` shows."""
        lines = self.do("list", "--json", *arguments).splitlines()
        return [json.loads(line) for line in lines]

    def standing(self, of: str) -> dict[str, dict[str, Any]]:
        """Id → the letter with `marked`, of a source or connection: the newest of each key."""
        newest: dict[bytes | None, Message] = {}
        for message in self.topics.records(self.names.dead_letters(of)):
            newest[message.key()] = message
        found = {}
        for message in newest.values():
            if message.value() is not None:
                marked = REDRIVEN_AT in dict(message.headers() or ())
                letter = LETTER.decode(message.value()) | {"marked": marked}
                found[letter["id"]] = letter
        return found

    def size(self, topic: str) -> int:
        """How many committed records a topic has."""
        return len(list(self.topics.records(topic)))
