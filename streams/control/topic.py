"""The control topic, read and written by a command that then ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.control.records import CONNECTIONS, decode_state, encode_state, key_of
from streams.engine.producer import RecordProducer
from streams.engine.stretch import newest

if TYPE_CHECKING:
    from collections.abc import Callable

    from streams.control.records import ConnectionState
    from streams.engine.kafka import KafkaSettings


class ControlTopic:
    """Reads the states of all connections, and writes one.

    Methods raise `KafkaException` where the broker does not answer or refuses.
    """

    def __init__(self, kafka: KafkaSettings, topic: str) -> None:
        self._kafka = kafka
        self._topic = topic

    def states(self) -> dict[str, ConnectionState]:
        """What was decided, by connection.

        Raises:
            ConfigurationError: the topic is missing, or holds what cannot be read.
        """
        found = {}
        for key, value in newest(self._kafka, self._topic).items():
            name = key.decode(errors="replace").removeprefix(CONNECTIONS)
            if key == key_of(name).encode():
                found[name] = decode_state(name, value)
        return found

    def change(
        self, connection: str, change: Callable[[ConnectionState], ConnectionState]
    ) -> ConnectionState:
        """Read a connection's state, write what `change` makes of it, and return that.

        Two operators who decide in the same moment overwrite each other: the later one counts.

        Raises:
            ConfigurationError: as above.
        """
        state = change(self.states().get(connection) or decode_state(connection, None))
        producer = RecordProducer(self._kafka)
        try:
            producer.produce(self._topic, key_of(connection).encode(), encode_state(state))
            producer.flush()
        finally:
            producer.close()
        return state
