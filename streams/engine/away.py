"""Whether the broker answers: said by the client or suspected for a failure, checked by asking.

librdkafka says when no connection is left. A broker that hangs keeps its connections; there a
publication that ran out of time, or a membership that is gone, is a suspicion only. A question that
stays unanswered makes it a fact, and the first answer ends it. Nothing is done about it here: the
engine's waits for the broker are bounded or repeated, so that it goes on by itself.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from streams.engine.client_log import log_seldom

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from streams.engine.kafka import KafkaSettings

__all__ = ["BrokerWatch", "await_broker"]

_ASK_SECONDS = 1.0
_ANSWER_SECONDS = 5.0
_LOG_SECONDS = 30.0
_SIGNS = frozenset(
    {
        KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001 - these are their public names
        KafkaError._TIMED_OUT,  # noqa: SLF001
        KafkaError._TIMED_OUT_QUEUE,  # noqa: SLF001
        KafkaError._MSG_TIMED_OUT,  # noqa: SLF001
        KafkaError._TRANSPORT,  # noqa: SLF001
        KafkaError.REQUEST_TIMED_OUT,
    }
)

log = logging.getLogger(__name__)


class BrokerWatch:
    """Asks while there is a reason to; `look` and `heard` are the poll thread's.

    Attributes:
        reason: why the broker is taken to be away; None while it is not.
    """

    def __init__(self, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin without a suspicion; `name` is for the log."""
        self.reason: str | None = None
        self._name = name
        self._clock = clock
        self._suspected = False
        self._question: Future[object] | None = None
        self._asked_at = float("-inf")

    def heard(self, error: KafkaError) -> None:
        """Take note of what the client reports by itself (`error_cb`)."""
        if error.code() == KafkaError._ALL_BROKERS_DOWN:  # noqa: SLF001 - its public name
            self._away(error)
        elif error.code() not in _SIGNS:  # those it logs itself, connection by connection
            log.warning("%s: %s", self._name, error)

    def suspect(self, error: BaseException) -> None:
        """Take note of a failure, whatever it was (any thread)."""
        if isinstance(error, KafkaException) and error.args[0].code() in _SIGNS:
            self._suspected = True

    def look(self, admin: AdminClient, *, member: bool) -> None:
        """Ask, if there is a reason to, and hear the answer; never waits.

        Args:
            admin: asks.
            member: whether the lane is a member of its group now.
        """
        question, now = self._question, self._clock()
        if question is None:
            if (self._suspected or not member) and now - self._asked_at >= _ASK_SECONDS:
                self._asked_at = now
                self._question = admin.describe_cluster(request_timeout=_ANSWER_SECONDS)
        elif question.done():
            self._question = None
            try:
                question.result()
            except KafkaException as error:
                self._away(error.args[0])
            else:
                self._answered()

    def _away(self, error: KafkaError) -> None:
        if self.reason is None:
            log.warning("%s: the broker is away: %s", self._name, error)
        self.reason = f"the broker is away: {error.str()}"
        self._suspected = True

    def _answered(self) -> None:
        if self.reason is not None:
            log.info("%s: the broker is back", self._name)
        self.reason = None
        self._suspected = False


def await_broker(kafka: KafkaSettings) -> None:
    """Return when the broker answers, however long that takes; the log says what it waits for."""
    log_seldom()
    logged = float("-inf")
    admin = AdminClient(kafka.client())
    while True:
        try:
            admin.list_topics(timeout=_ANSWER_SECONDS)
        except KafkaException as error:
            if time.monotonic() - logged >= _LOG_SECONDS:
                log.warning("waits for the broker at %s: %s", kafka.bootstrap, error)
                logged = time.monotonic()
            time.sleep(_ASK_SECONDS)
        else:
            return
