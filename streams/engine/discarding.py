"""Deleting what nobody needs any more: a topic, and the offsets of a group without members."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

if TYPE_CHECKING:
    from concurrent.futures import Future

    from streams.engine.kafka import KafkaSettings

__all__ = ["delete_group", "delete_topic"]

_CALL_SECONDS: Final = 30.0


def delete_topic(kafka: KafkaSettings, topic: str) -> None:
    """Delete a topic; one that is not there is no error. Raises `KafkaException`."""
    admin = AdminClient(kafka.client())  # it must live until it has answered
    answers = admin.delete_topics([topic], operation_timeout=_CALL_SECONDS)
    _await(answers[topic], KafkaError.UNKNOWN_TOPIC_OR_PART)


def delete_group(kafka: KafkaSettings, group: str) -> None:
    """Delete a group's offsets; one that is not there is no error. Raises `KafkaException`."""
    admin = AdminClient(kafka.client())
    answers = admin.delete_consumer_groups([group], request_timeout=_CALL_SECONDS)
    _await(answers[group], KafkaError.GROUP_ID_NOT_FOUND)


def _await(answer: Future[None], missing: int) -> None:
    try:
        answer.result()
    except KafkaException as error:
        if error.args[0].code() != missing:
            raise
