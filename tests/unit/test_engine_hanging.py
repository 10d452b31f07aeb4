"""A call that may hang: its own outcome in time, or left behind."""

from __future__ import annotations

import threading

import pytest

from streams.engine.hanging import Hanging, within


def test_a_call_that_comes_back_was_made_once() -> None:
    """Nothing else happens."""
    calls: list[int] = []
    within(30, lambda: calls.append(1))

    assert [1] == calls


@pytest.mark.parametrize("error", [ValueError, TimeoutError, KeyboardInterrupt])
def test_what_a_call_raises_is_raised(error: type[BaseException]) -> None:
    """Also when it is a timeout of its own: that call has come back."""

    def call() -> None:
        raise error("of the call")

    with pytest.raises(error, match="of the call"):
        within(30, call)


def test_a_call_that_hangs_is_left_behind() -> None:
    """The caller goes on; the process may end, whether the call ever comes back or not."""
    come_back, threads = threading.Event(), list[threading.Thread]()

    def hang() -> None:
        threads.append(threading.current_thread())
        come_back.wait()

    with pytest.raises(Hanging, match=r"within 0\.01 s"):
        within(0.01, hang)

    (thread,) = threads
    assert thread.daemon
    come_back.set()
    thread.join(30)
    assert not thread.is_alive()
