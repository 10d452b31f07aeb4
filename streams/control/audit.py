"""The audit topic: who had what done, when, and what came of it.

Two records an action, both under its id: `began` before anything is changed, `done` or `failed`
after it. An action without a second record was killed, or goes on. Neither may say who a customer
is: a customer is given as the keyed hash that erasing uses.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Literal
from uuid import uuid4

import msgspec

from streams.engine.producer import RecordProducer
from streams.errors import BadRecord

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from streams.engine.kafka import KafkaSettings

State = Literal["began", "done", "failed"]

Audited = Literal[
    "backfill.profiles",
    "connections.pause",
    "connections.promote",
    "connections.reset",
    "connections.resume",
    "connections.test",
    "console.show",
    "dead-letters.purge",
    "dead-letters.redrive",
    "erase",
    "rebuild.discard",
    "rebuild.run",
    "rebuild.switch",
    "reconcile.repair",
    "replay.resume",
    "replay.run",
    "sync.ordergroove",
    "table.snapshot",
    "topics.rewrite",
]
"""Every action that is put on record: the command and its verb."""

_NEWEST: Final = 1
"""Version of a record's shape."""


class Action(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One record of the audit topic, as JSON under the action's id.

    Attributes:
        id: of the action.
        action: `replay.run`: the command and its verb.
        state: how far it is.
        at: epoch milliseconds.
        by: whose decision it was.
        what: what was asked for: names, options, counts that were shown before.
        result: what was done, in counts; of `done`, and of `failed` as far as it came.
        error: the kind of what ended it; of `failed`.
        v: version of this shape.
    """

    id: str
    action: str
    state: State
    at: int
    by: str
    what: dict[str, Any] = {}
    result: dict[str, Any] = {}
    error: str | None = None
    v: int = _NEWEST


_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(Action).decode


def decode_action(value: bytes | None) -> Action:
    """The action of a record's value; raises `BadRecord` for what is none."""
    try:
        return _decode(value or b"")
    except msgspec.DecodeError as error:
        raise BadRecord("malformed", None, "no record of the audit topic") from error


class Entry:
    """An action under way.

    Attributes:
        id: of the action, to be found again under.
        result: counts of what was done, to be filled in.
    """

    def __init__(self, id_: str) -> None:
        self.id = id_
        self.result: dict[str, Any] = {}


class Audit:
    """Writes actions to the audit topic."""

    def __init__(self, kafka: KafkaSettings, topic: str, by: str) -> None:
        self._kafka = kafka
        self._topic = topic
        self._by = by

    @contextmanager
    def action(
        self, name: Audited, what: Mapping[str, Any], id_: str | None = None
    ) -> Iterator[Entry]:
        """Say that an action begins, and what came of it; what is raised is raised on.

        Args:
            name: the command and its verb.
            what: what was asked for.
            id_: of an action that goes on; None: a new one.

        Raises:
            KafkaException: nothing may be done, since it could not be said.
        """
        entry = Entry(id_ or uuid4().hex)
        producer = RecordProducer(self._kafka)

        def tell(state: State, error: str | None = None) -> None:
            record = Action(
                id=entry.id,
                action=name,
                state=state,
                at=int(time.time() * 1_000),
                by=self._by,
                what=dict(what),
                result=entry.result,
                error=error,
            )
            producer.produce(self._topic, entry.id.encode(), _encode(record))
            producer.flush()

        try:
            tell("began")
            try:
                yield entry
            except BaseException as error:
                tell("failed", type(error).__name__)  # its text may quote what it met
                raise
            tell("done")
        finally:
            producer.close()
