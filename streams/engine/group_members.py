"""Who is in a consumer group, as its coordinator says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from streams.engine.patience import patiently

if TYPE_CHECKING:
    from streams.engine.kafka import KafkaSettings

__all__ = ["group_members"]

_CALL_SECONDS: Final = 10.0


def group_members(kafka: KafkaSettings, group: str) -> list[str]:
    """The client ids and hosts of a group's members; none where nobody ever joined it.

    One that died is a member until its session ends.

    Raises:
        KafkaException: the broker does not answer.
    """
    admin = AdminClient(kafka.client())

    def ask() -> list[str]:
        [answer] = admin.describe_consumer_groups([group], request_timeout=_CALL_SECONDS).values()
        try:
            members = answer.result().members
        except KafkaException as error:
            if error.args[0].code() == KafkaError.GROUP_ID_NOT_FOUND:
                return []
            raise
        return sorted(f"{each.client_id} at {each.host.lstrip('/')}" for each in members)

    return patiently(ask, _CALL_SECONDS)
