"""How much of vendors' limits is wanted now: the heartbeats of the workers that share accounts.

Read by somebody who shares nothing: no heartbeat of its own, no group.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from streams.delivery.sharer import Heartbeat
from streams.engine.stretch import look_through, whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confluent_kafka import Message

    from streams.engine.kafka import KafkaSettings

_SKEW_MS: Final = 5_000
"""Between two machines' clocks at most."""
_KEY: Final = b"share:"
"""Of the keys `share:<account>:<instance>` (`delivery.heartbeats`)."""

_decode = msgspec.json.Decoder(Heartbeat).decode


class Wanted(NamedTuple):
    """What live processes want of an endpoint of an account.

    Attributes:
        rate: requests a second, of all together.
        held: whether a limit holds some back at one of them.
    """

    rate: float
    held: bool


def wanted_of(kafka: KafkaSettings, topic: str, now: int) -> dict[str, dict[str, Wanted]]:
    """Account → endpoint → what is wanted of it; accounts without a live process are left out.

    Args:
        kafka: the connection.
        topic: the control topic.
        now: epoch milliseconds.

    Raises:
        ConfigurationError: there is no such topic.
        KafkaException: the broker does not answer.
    """
    heard: dict[bytes, Message] = {}

    def note(message: Message) -> None:
        key = message.key() or b""
        if key.startswith(_KEY):
            heard[key] = message

    look_through(kafka, whole(kafka, topic), note)
    found: defaultdict[str, dict[str, Wanted]] = defaultdict(dict)
    for key, message in heard.items():
        account = key.removeprefix(_KEY).rpartition(b":")[0].decode(errors="replace")
        for endpoint, (rate, held) in _wants(message, now).items():
            known = found[account].get(endpoint, Wanted(0.0, held=False))
            found[account][endpoint] = Wanted(known.rate + rate, known.held or held)
    return dict(found)


def _wants(message: Message, now: int) -> Mapping[str, tuple[float, bool]]:
    """What a process tells; nothing if it has stopped, or is taken for dead."""
    value = message.value()
    if value is None:
        return {}
    try:
        heartbeat = _decode(value)
    except msgspec.MsgspecError:
        return {}
    age = now - message.timestamp()[1]
    return heartbeat.wants if age <= heartbeat.patience * 1_000 + _SKEW_MS else {}
