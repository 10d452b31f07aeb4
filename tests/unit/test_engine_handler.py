"""When a batch is done, and so the next one may be made."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.handled import Poller, Publication, feed, handler_of


@pytest.mark.parametrize(
    ("quiet", "expected"),
    [
        pytest.param(False, [["done"], ["done"]], id="busy: once it is computed"),
        pytest.param(True, [[], ["done"]], id="quiet: once it is published"),
    ],
)
def test_when_a_batch_is_done(*, quiet: bool, expected: list[list[str]]) -> None:
    """A quiet topic's next batch has all that came while this one was published."""
    publication = Publication()
    told: list[str] = []
    seen: list[list[str]] = []

    async def scenario() -> None:
        handler = handler_of(Poller(), publication)
        await feed(handler, (0, 0, b"good", 3), done=lambda: told.append("done"), quiet=quiet)
        seen.append(list(told))
        publication.may.set()
        await handler.barrier([0])
        handler.close()
        seen.append(list(told))

    asyncio.run(scenario())

    assert expected == seen


def test_a_quiet_batch_that_comes_to_nothing_is_done() -> None:
    """Nothing is published, so nothing else would end it."""
    told: list[str] = []

    async def scenario() -> None:
        handler = handler_of(Poller(), Publication())
        await feed(handler, done=lambda: told.append("done"), quiet=True)
        handler.close()

    asyncio.run(scenario())

    assert ["done"] == told
