"""Calls into librdkafka that may hang: each in a thread of its own, which can be left behind.

`send_offsets_to_transaction` keeps to no timeout while it looks for the group's coordinator, and
may wait for ever for a broker that has left the cluster (confluentinc/librdkafka#5456, #5511).
"""

from __future__ import annotations

import threading
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import TYPE_CHECKING

from streams.errors import StreamsError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Hanging", "within"]


class Hanging(StreamsError):
    """A call has not come back; what it was made on must not be used again."""


def within(seconds: float, call: Callable[[], object]) -> None:
    """Make the call, and return when it does.

    Raises:
        Hanging: that took longer. The thread stays in the call, and what comes of it is ignored.
        BaseException: what the call raised.
    """
    outcome: Future[None] = Future()

    def run() -> None:
        try:
            call()
        except BaseException as error:  # noqa: BLE001 - raised by who waits
            outcome.set_exception(error)
        else:
            outcome.set_result(None)

    # not a pool's thread: the interpreter would wait for it at the end of the process
    threading.Thread(target=run, name="may-hang", daemon=True).start()
    try:
        outcome.result(seconds)
    except FutureTimeout:
        if outcome.done():
            raise
        message = f"a call has not come back within {seconds:g} s"
        raise Hanging(message) from None
