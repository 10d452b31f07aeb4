"""What hydrate asks Ordergroove's API, over real sockets: how often, how long, and when not."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

from streams.delivery.clock import Clock
from streams.engine.batch import FIRST, Part
from streams.hydrate.counts import hydrate_metrics
from streams.hydrate.job import UNHYDRATED
from streams.simulators.faults import Fault
from tests.support.hydrating import Bench, Lane, Record, value_of
from tests.support.ordergroove_simulator import MERCHANT, Account, Waits, client, put, shop, tell
from tests.support.webhooks import CUSTOMER, START, item, order, subscription, webhook

if TYPE_CHECKING:
    import pytest

    from streams.hydrate.preparation import Hydration

WHO = {"merchant": MERCHANT, "merchant_user_id": CUSTOMER, "email": "noor.hale@shop-demo.io"}
TEA = {"external_product_id": "p1", "merchant": MERCHANT, "name": "Tea", "live": True}
LINES = [{"public_id": f"i{n}", "order": "o1", "product": "p1", "quantity": n} for n in (1, 2)]
AWAY = Fault(kind="status", status=503)
SILENT = Fault(kind="timeout")


def bodies(number: int = 1) -> list[Record]:
    """Records that lack everything."""
    ordered = order("o1", payment="pay1")
    return [
        Record(value_of(body))
        for n in range(number)
        for body in (
            webhook("subscription.create", subscription("a1", product="p1"), START + n),
            webhook("order.create", ordered, START + n),
            webhook("item.create", item("i1", order="o1", product="p1"), START + n),
        )
    ]


async def shop_of(account: Account) -> None:
    """A shop that knows all of it but the payment."""
    await put(account, "customers", WHO)
    await put(account, "products", TEA)
    await put(account, "items", *LINES)


def asked(account: Account) -> Counter[str]:
    """What was asked, by path."""
    return Counter(each.path for each in shop(account).received)


def test_each_thing_is_asked_for_once() -> None:
    """However many records of a batch lack it, and then no more: the table and a memory have it.

    Products are remembered for everybody, and that there is nothing under an id for a while.
    """

    async def story(account: Account) -> Any:
        await shop_of(account)
        async with client(account.simulator.url) as api:
            bench = Bench({MERCHANT: api})
            first = await bench.batch(*bodies(20))
            once = asked(account)
            other = subscription("b1", product="p1") | {"customer": "2"}
            await bench.batch(
                *bodies(), Record(value_of(webhook("subscription.create", other)), OTHER)
            )
        return first, once, asked(account) - once

    written, once, more = tell(story)
    assert {
        f"/customers/{CUSTOMER}": 1,
        "/products/p1": 1,
        "/items": 1,
        "/payments/pay1": 1,
    } == once
    assert {"/customers/2": 1} == more
    assert {b"payment"} == {each.headers[UNHYDRATED] for each in written[1::3]}
    for each in written:
        assert "noor.hale@shop-demo.io" == each.snapshot["customer"]["email"]
        assert ["Tea"] == [product["name"] for product in each.snapshot["products"]]


OTHER = f"{MERCHANT}:2".encode()


def test_what_a_record_before_shows_is_not_asked_for() -> None:
    """Also where both are of one batch, and the table has none of it yet."""

    async def story(account: Account) -> Any:
        shown = {"customer": WHO, "products": [{**TEA, "image_url": "i", "detail_url": "d"}]}
        told = webhook("order.create", order("o9"), START, snapshot={**shown, "items": [NINE]})
        async with client(account.simulator.url) as api:
            written = await Bench({MERCHANT: api}).batch(Record(value_of(told)), *bodies()[::2])
        return asked(account), [UNHYDRATED in each.headers for each in written]

    assert (Counter(), [False] * 3) == tell(story)


NINE = {"public_id": "i9", "order": "o9", "product": "p1"}


def test_an_api_that_is_away_is_waited_for_once() -> None:
    """Then batches go on at once, until a question now and then finds it back."""

    async def story(account: Account) -> Any:
        await shop_of(account)
        shop(account).set_faults([AWAY])
        clock = Skipping()
        async with client(account.simulator.url, Slow(clock).manners()) as api:
            bench = Bench({MERCHANT: api}, clock=clock.clock(), patience=0.3)
            lane = Lane()
            waits = []
            for _ in range(3):
                before = asked(account).total()
                written = await bench.batch(*bodies(), poller=lane)
                waits.append(asked(account).total() - before)
            away = dict(bench.counts.away)
            shop(account).set_faults([])
            clock.skipped += 3_600
            back = await bench.batch(*bodies())
        return written, waits, away, back, dict(bench.counts.away), lane.said

    written, asked_then, away, back, at_last, said = tell(story)
    assert {MERCHANT: "away"} == away
    assert 0 < asked_then[0]
    assert [0, 0] == asked_then[1:]
    assert all(b"customer" in each.headers[UNHYDRATED] for each in written)
    assert {} == at_last
    assert all("customer" not in str(each.headers.get(UNHYDRATED)) for each in back)
    assert [] == said


def test_a_silent_api_holds_a_record_no_longer_than_patience() -> None:
    """Nobody answers; the batch goes on, and health says what is waited for meanwhile."""

    async def story(account: Account) -> Any:
        shop(account).set_faults([SILENT])
        clock, lane = Skipping(), Lane()
        async with client(account.simulator.url) as api:
            bench = Bench({MERCHANT: api}, clock=clock.clock(), patience=30.0)
            pending = asyncio.ensure_future(bench.batch(*bodies(), poller=lane))
            await until(lambda: bool(shop(account).received))
            clock.skipped += 3
            await until(lambda: bool(lane.said))
            clock.skipped += 30
            written = await pending
        return written, lane.said, bench.counts.waited

    written, said, waited = tell(story)
    assert [UNHYDRATED in each.headers for each in written] == [True] * 3
    assert ["waits for Ordergroove's API", None] == said
    assert 33 <= waited


def test_partitions_that_are_taken_away_are_not_waited_for() -> None:
    """A rebalance goes on at once, and says nothing of the API."""

    async def story(account: Account) -> Any:
        shop(account).set_faults([SILENT])
        lane = Lane()
        async with client(account.simulator.url) as api:
            bench = Bench({MERCHANT: api}, clock=Skipping().clock())
            pending = asyncio.ensure_future(prepared(bench.hydration, lane))
            await until(lambda: bool(shop(account).received))
            lane.ours = False
            await pending
        return bench.counts.away

    assert {} == tell(story)


async def prepared(hydration: Hydration, lane: Any) -> None:
    """Await the preparation of a batch."""
    messages: Any = bodies()
    await hydration([Part(0, 1, FIRST, messages)], lane)


def test_a_key_that_is_refused_is_said_and_asked_no_more(caplog: pytest.LogCaptureFixture) -> None:
    """The log names the setting, not the key; records go on without."""

    async def story(account: Account) -> Any:
        async with client(account.simulator.url, key="another") as api:
            bench = Bench({MERCHANT: api})
            await bench.batch(*bodies())
            before = asked(account).total()
            await bench.batch(*bodies())
        return bench.counts.away, asked(account).total() - before

    away, more = tell(story, keys={"right": {}})
    assert ({MERCHANT: "refused"}, 0) == (away, more)
    assert f"ordergroove.api.{MERCHANT}.key" in caplog.text
    assert "another" not in caplog.text


def test_a_product_is_asked_for_again_when_it_is_old() -> None:
    """By somebody whose row does not have it."""

    async def story(account: Account) -> Any:
        await shop_of(account)
        clock, counts = Skipping(), []
        async with client(account.simulator.url) as api:
            bench = Bench({MERCHANT: api}, clock=clock.clock())
            for number, passes in enumerate((0, 3_500, 200)):
                clock.skipped += passes
                body = subscription("b1", product="p1") | {"customer": str(number)}
                record = Record(
                    value_of(webhook("subscription.create", body)), f"{MERCHANT}:{number}".encode()
                )
                await bench.batch(record)
                counts.append(asked(account)["/products/p1"])
        return counts

    assert [1, 1, 2] == tell(story)


def test_nobody_is_asked_about_those_who_are_erased() -> None:
    """A record that is older than the erase is nobody's."""

    async def story(account: Account) -> Any:
        async with client(account.simulator.url) as api:
            bench = Bench({MERCHANT: api})
            gone = value_of(webhook("order.create", order("o1")), kind="erase")
            await bench.batch(Record(gone))
            await bench.batch(Record(value_of(webhook("order.create", order("o1"), START - 1))))
        return asked(account)

    assert Counter() == tell(story)


def test_a_merchant_without_an_api_is_not_waited_for() -> None:
    """What its records lack is said, and that is all."""
    bench = Bench()
    written = asyncio.run(bench.batch(*bodies()))

    assert b"customer,product" == written[0].headers[UNHYDRATED]
    assert {} == bench.counts.asked


def test_metrics_name_nobody() -> None:
    """Places and words of closed sets."""
    bench = Bench()
    asyncio.run(bench.batch(*bodies()))
    bench.counts.away[MERCHANT] = "away"
    told = [(each.name, s.labels) for each in hydrate_metrics(bench.counts) for s in each.samples]

    assert {
        "streams_hydrated",
        "streams_hydrate_missing",
        "streams_hydrate_wait_seconds",
        "streams_hydrate_api_away",
    } <= {name for name, _ in told}
    assert CUSTOMER not in repr(told)


class Skipping:
    """The real clock, with time that is skipped."""

    def __init__(self) -> None:
        self.skipped = 0.0

    def clock(self) -> Clock:
        """As the role wants it."""
        real = Clock()
        return Clock(monotonic=lambda: real.monotonic() + self.skipped, random=lambda: 0.5)


class Slow:
    """Manners of a client that waits a little between two tries."""

    def __init__(self, clock: Skipping) -> None:
        self._clock = clock

    def manners(self) -> Any:
        """Those of the tests, on the real clock."""
        return Waits().manners()._replace(wait=lambda *_: 0.05, sleep=asyncio.sleep)


async def until(fact: Any) -> None:
    """Wait until something becomes true."""
    async with asyncio.timeout(20):
        while not fact():  # noqa: ASYNC110 - nobody is told when a server has been asked
            await asyncio.sleep(0.01)
