"""How long hydrate waits for an API that is away, slow, locked, or says when to come again."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override

from streams.delivery.clock import Clock
from streams.delivery.limits import Limiter
from streams.delivery.retry import Schedule
from streams.destinations.answers import retry_after
from streams.hydrate.job import UNHYDRATED
from streams.hydrate.patience import HELD_SECONDS, Patience
from streams.ingest.ordergroove_api import Manners
from streams.ingest.ordergroove_progress import Progress
from streams.ingest.ordergroove_requests import ENDPOINT
from streams.model.rules import Limit
from streams.simulators.faults import Fault
from tests.support.hydrating import Bench, Lane, Record, Written, value_of
from tests.support.ordergroove_simulator import MERCHANT, Account, client, put, shop, tell
from tests.support.webhooks import CUSTOMER, START, order, subscription, webhook

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

WHO = {"merchant": MERCHANT, "merchant_user_id": CUSTOMER, "email": "noor.hale@shop-demo.io"}
TEA = {"external_product_id": "p1", "merchant": MERCHANT, "name": "Tea", "live": True}
LINE = {"public_id": "i1", "order": "o1", "product": "p1", "quantity": 1}
LATER = Fault(kind="status", status=429, retry_after=60, count=1)
"""One answer that says to come again in a minute."""
LOCKED = Fault(kind="status", status=423)
AWAY = Fault(kind="status", status=503)
SILENT = Fault(kind="timeout")
STEP = 10.0


def bodies() -> list[Record]:
    """Records that lack everything: a customer, a product and an order's items."""
    return [
        Record(value_of(body))
        for body in (
            webhook("subscription.create", subscription("a1", product="p1"), START),
            webhook("order.create", order("o1"), START),
        )
    ]


async def shop_of(account: Account) -> None:
    """A shop that knows all of it."""
    await put(account, "customers", WHO)
    await put(account, "products", TEA)
    await put(account, "items", LINE)


def lacking(written: Sequence[Written]) -> list[object]:
    """What records go on without."""
    return [each.headers.get(UNHYDRATED) for each in written]


class Steps(Lane):
    """A clock that moves by steps, once the batch has looked twice at the time before.

    Whoever waits for the API sleeps by it too.
    """

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0
        self._looks = 0

    @override
    def accepts(self, partition: int, epoch: int) -> bool:
        """Count a look."""
        self._looks += 1
        return super().accepts(partition, epoch)

    def bench(self, api: Any) -> Bench:
        """The role, with half a minute's patience."""
        clock = Clock(monotonic=lambda: self.seconds, random=lambda: 0.5)
        return Bench({MERCHANT: api}, clock=clock, patience=30.0)

    def manners(self, requests_per_minute: int) -> Manners:
        """Those of the role, on this clock."""
        limits = [Limit(ENDPOINT, requests_per_minute, 60.0)]
        pace = Limiter(limits, factor=1.0, safety=0.955, clock=lambda: self.seconds)
        wait = Schedule(base=0.5, cap=30.0, longest_after=300.0).wait
        return Manners(pace, wait, retry_after, lambda: 0.5, lambda: self.seconds, self._sleep)

    async def handled(self, bench: Bench) -> tuple[list[Written], float]:
        """Go on until a batch is handled; what was written, and how long it took."""
        began = self.seconds
        pending = asyncio.ensure_future(bench.batch(*bodies(), poller=self))
        while not pending.done():
            looks = self._looks
            await until(lambda looks=looks: pending.done() or self._looks >= looks + 2)
            self.seconds += 0.0 if pending.done() else STEP
        return await pending, self.seconds - began

    async def _sleep(self, seconds: float) -> None:
        ends = self.seconds + seconds
        await until(lambda: self.seconds >= ends)


@asynccontextmanager
async def worked(
    account: Account, requests_per_minute: int = 6_000
) -> AsyncIterator[tuple[Steps, Bench]]:
    """A clock of its own, and a role that asks an account by it."""
    steps = Steps()
    async with client(account.simulator.url, steps.manners(requests_per_minute)) as api:
        yield steps, steps.bench(api)


async def until(fact: Any) -> None:
    """Wait until something becomes true."""
    async with asyncio.timeout(20):
        while not fact():  # noqa: ASYNC110 - a clock that is read tells nobody
            await asyncio.sleep(0.005)


def test_what_the_api_says_to_ask_later_is_asked_later() -> None:
    """A 429 with a minute's Retry-After uses up no patience: nothing goes on without."""

    async def story(account: Account) -> Any:
        await shop_of(account)
        shop(account).set_faults([LATER])
        async with worked(account) as (steps, bench):
            written, seconds = await steps.handled(bench)
        return lacking(written), seconds, bench.counts.away, steps.said

    lacks, seconds, away, said = tell(story)
    assert [None, None] == lacks
    assert 60 <= seconds <= 90
    assert {} == away
    assert ["waits for Ordergroove's API", None] == said


def test_our_own_limit_uses_up_no_patience() -> None:
    """Two questions a minute: the third waits for longer than a silent API would be waited for."""

    async def story(account: Account) -> Any:
        await shop_of(account)
        async with worked(account, 2) as (steps, bench):
            written, seconds = await steps.handled(bench)
        return lacking(written), seconds, bench.counts.away

    lacks, seconds, away = tell(story)
    assert [None, None] == lacks
    assert 60 <= seconds <= 90
    assert {} == away


def test_a_silent_api_is_away_also_within_our_limit() -> None:
    """That others wait for their turn makes nobody wait longer for no answer."""

    async def story(account: Account) -> Any:
        shop(account).set_faults([SILENT])
        async with worked(account, 2) as (steps, bench):
            written, seconds = await steps.handled(bench)
            _, again = await steps.handled(bench)
        return lacking(written), seconds, again, bench.counts.away

    lacks, seconds, again, away = tell(story)
    assert [b"customer,product", b"customer,items"] == lacks
    assert 30 <= seconds <= 50
    assert 0 == again
    assert {MERCHANT: "away"} == away


def test_what_is_locked_does_not_close_the_api() -> None:
    """Records go on without it after patience, and the next ones are asked about at once."""

    async def story(account: Account) -> Any:
        await shop_of(account)
        shop(account).set_faults([LOCKED])
        async with worked(account) as (steps, bench):
            first, seconds = await steps.handled(bench)
            away = dict(bench.counts.away)
            shop(account).set_faults([])
            second, _ = await steps.handled(bench)
        return lacking(first), seconds, away, lacking(second)

    first, seconds, away, second = tell(story)
    assert [b"customer,product", b"customer,items"] == first
    assert 30 <= seconds <= 50
    assert {} == away
    assert [None, None] == second


def test_an_api_that_comes_back_busy_is_back() -> None:
    """The question that tries it hears when to return: then all is asked, and nothing lost."""

    async def story(account: Account) -> Any:
        await shop_of(account)
        shop(account).set_faults([AWAY])
        async with worked(account) as (steps, bench):
            await steps.handled(bench)
            away = dict(bench.counts.away)
            shop(account).set_faults([LATER])
            steps.seconds += 3_600
            written, _ = await steps.handled(bench)
        return away, lacking(written), bench.counts.away

    away, lacks, at_last = tell(story)
    assert {MERCHANT: "away"} == away
    assert [None, None] == lacks
    assert {} == at_last


def test_an_api_that_comes_back_locked_is_back() -> None:
    """The question that tries it has no answer, but all is asked; and the next records', too."""

    async def story(account: Account) -> Any:
        await shop_of(account)
        shop(account).set_faults([AWAY])
        async with worked(account) as (steps, bench):
            await steps.handled(bench)
            shop(account).set_faults([LOCKED])
            steps.seconds += 3_600
            before = len(shop(account).received)
            await steps.handled(bench)
            paths = {each.path for each in shop(account).received[before:]}
        return paths, bench.counts.away

    paths, away = tell(story)
    assert {f"/customers/{CUSTOMER}", "/products/p1", "/items"} == paths
    assert {} == away


TRIED = Progress(tried=1)
HELD = Progress(held=1)
BOTH = Progress(tried=1, held=1)


@pytest.mark.parametrize(
    ("passes", "left", "silent", "held_up"),
    [
        pytest.param([(TRIED, 10)], 20.0, False, False, id="asked"),
        pytest.param([(TRIED, 30)], 0.0, True, False, id="in vain"),
        pytest.param([(HELD, 100), (TRIED, 10)], 20.0, False, False, id="held back"),
        pytest.param([(BOTH, 30)], 0.0, True, False, id="in vain, and others held back"),
        pytest.param(
            [(BOTH, 20), (Progress(tried=1, held=1, heard=1), 20), (TRIED, 20)],
            10.0,
            False,
            False,
            id="answers come as fast as we may ask",
        ),
        pytest.param(
            [(Progress(tried=1, heard=n), 10) for n in (1, 2, 3)], 0.0, False, False, id="slow"
        ),
        pytest.param([(HELD, HELD_SECONDS)], 0.0, False, True, id="held back for too long"),
    ],
)
def test_patience_is_for_what_may_be_asked(
    passes: list[tuple[Progress, float]], left: float, *, silent: bool, held_up: bool
) -> None:
    """Seconds in which nothing may be asked do not count, up to an end; silence always does."""
    clock = [5.0]
    patience = Patience(30.0, lambda: clock[0])
    clock[0] += 1_000  # nothing is asked yet
    patience.begin(Progress())
    for progress, seconds in passes:
        clock[0] += seconds
        patience.passed(progress)

    assert (left, silent, held_up) == (patience.left, patience.is_silent, patience.is_held_up)
