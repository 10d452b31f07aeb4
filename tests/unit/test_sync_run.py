"""A run of a sync: real sockets to the simulated API, its real client; what is written is a list.

On a real broker, and killed: tests/kafka/test_sync.py.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from streams.ingest.ordergroove_api import ApiUnexpected
from streams.sync import reading
from streams.sync.lists import CHAINS
from tests.support.sync_run import NEW, STARTED, SyncRun, tell, truth
from tests.support.sync_world import LISTS, MERCHANT

if TYPE_CHECKING:
    from collections.abc import Mapping

SHOP: dict[str, Any] = {"customers": 120, "odd_share": 0.3}
"""Two pages of most lists."""
REFUSED = {"kind": "status", "status": 404, "endpoint": "/orders*", "match": {"cursor": "*"}}


async def whole(run: SyncRun) -> None:
    """Read it to its end."""
    assert await run.go()


def test_every_entity_is_one_record_under_its_customers_key() -> None:
    """However oddly it is written; products are none, but their texts are in what names them."""
    found = tell(whole, **SHOP)
    keys = {said["customer_id"] for _, said in found.records}
    named = [
        said["snapshot"]["products"]
        for _, said in found.records
        if said["type"] in {"subscription.state", "item.state"}
    ]

    assert Counter(truth(found.simulator)) == found.entities
    assert {f"{MERCHANT}:{said['customer_id']}".encode() for _, said in found.records} == {
        key for key, _ in found.records
    }
    assert len(keys) == 120
    assert all(len(products) == 1 and products[0]["name"] for products in named)
    assert [] == found.letters
    assert {(each, "written") for each in LISTS} == set(found.counts)


def test_no_two_pages_of_a_list_are_asked_for_at_once() -> None:
    """Products first; items behind orders; each page where the last one pointed."""
    found = tell(whole, **SHOP)
    paths = [path for path, _ in found.asked]

    assert paths[0] == "/products"
    assert max(n for n, path in enumerate(paths) if path == "/orders") < paths.index("/items")
    assert len(CHAINS) == 5
    for entity in LISTS:
        cursors = ["cursor" in query for path, query in found.asked if path == f"/{entity}"]
        assert [False] + [True] * (len(cursors) - 1) == cursors


@pytest.fixture
def page_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each page is a transaction of its own."""
    monkeypatch.setattr(reading, "_AT_ONCE", 1)


@pytest.mark.usefixtures("page_by_page")
@pytest.mark.parametrize("pages", [1, 4, 9])
def test_a_run_that_is_stopped_goes_on_where_it_was(pages: int) -> None:
    """Nothing twice, nothing left out, wherever it ends; the last run ends it."""

    async def story(run: SyncRun) -> None:
        assert not await run.go(pages=pages)
        assert run.standing.run is not None
        assert await run.go()

    found = tell(story, **SHOP)

    assert Counter(truth(found.simulator)) == found.entities
    assert (STARTED, None) == (found.standing.watermark, found.standing.run)


@pytest.mark.usefixtures("page_by_page")
def test_whose_items_are_is_asked_where_their_orders_came_earlier() -> None:
    """As after a crash where nobody recalls them: from the API, once for each order."""

    async def story(run: SyncRun) -> None:
        while not (run.standing.run or NEW.run).reach("orders").done:  # type: ignore[union-attr]
            assert not await run.go(pages=1)
        await whole(run)

    found = tell(story, **SHOP)
    single = Counter(path for path, _ in found.asked if path.startswith("/orders/"))

    assert Counter(truth(found.simulator)) == found.entities
    assert {1} == set(single.values())
    assert len(single) > 50


def test_a_cursor_that_is_refused_begins_its_list_anew() -> None:
    """What was read of it comes once more, under the same ids; the other lists do not."""
    found = tell(whole, faults=[REFUSED | {"count": 1}], **SHOP)
    repeated = {entity for (entity, _), often in found.entities.items() if often > 1}
    ids = Counter(said["event_id"] for _, said in found.records)

    assert truth(found.simulator) == set(found.entities)
    assert {"orders"} == repeated
    assert len(truth(found.simulator)) == len(ids)


def test_a_list_that_is_always_refused_ends_the_run() -> None:
    """Begun anew only once: then somebody must look."""

    async def story(run: SyncRun) -> None:
        with pytest.raises(ApiUnexpected):
            await run.go()

    found = tell(story, faults=[REFUSED], **SHOP)

    assert found.standing.run is not None
    assert not found.standing.run.done


def test_a_run_may_end_with_marks() -> None:
    """One in each partition, behind everything else, with the start of the run."""

    async def story(run: SyncRun) -> None:
        assert run.standing.run is not None
        run.standing = replace(run.standing, run=replace(run.standing.run, ends_marked=True))
        await whole(run)

    found = tell(story, customers=3)
    types = [said["type"] for _, said in found.records]

    assert ["sync.completed"] * 3 == types[-3:]
    assert "sync.completed" not in types[:-3]
    assert {("*", STARTED)} == {(s["customer_id"], s["created"]) for _, s in found.records[-3:]}
    assert found.standing.marked == STARTED
    assert "sync.completed" not in {said["type"] for _, said in tell(whole, customers=3).records}


def test_of_payments_only_the_changed_are_written() -> None:
    """Their list has no filter by time: all are read, and the older ones are not told again."""
    half_a_year_ago = 1_789_992_000_000 - 180 * 86_400_000

    async def story(run: SyncRun) -> None:
        assert run.standing.run is not None
        late = replace(run.standing.run, since=half_a_year_ago)
        run.standing = replace(run.standing, run=late)
        await whole(run)

    found = tell(story, customers=60)
    told = [said for _, said in found.records if '"payments"' in said["raw"].decode()]

    assert 0 < len(told) < 60
    assert all(said["created"] >= half_a_year_ago - 7_200_000 for said in told)
    assert found.counts["payments", "unchanged"] == 60 - len(told)


def test_lists_may_be_left_out() -> None:
    """Then they are not asked for."""

    async def story(run: SyncRun) -> None:
        assert await run.go(left_out=frozenset({"payments"}))

    found = tell(story, customers=3)

    assert "/payments" not in {path for path, _ in found.asked}
    assert set(LISTS) - {"payments"} == {entity for entity, _ in found.entities}


def test_the_erased_do_not_come_back() -> None:
    """Nothing of them that is older than their erase; with what they own."""

    def hides(merchant: str, customer_id: str, created: int) -> bool:
        return (merchant, customer_id) == (MERCHANT, "0000000") and created < STARTED

    async def story(run: SyncRun) -> None:
        assert await run.go(hides=hides)

    found = tell(story, customers=9)

    assert "0000000" not in {said["customer_id"] for _, said in found.records}
    assert len(found.entities) < len(truth(found.simulator))
    assert all(found.counts[entity, "erased"] for entity in ("customers", "orders", "items"))


ODD: Mapping[str, list[dict[str, Any]]] = {
    "items": [{"public_id": "f" * 32, "order": "e" * 32, "order_updated": 1_789_000_000}],
    "orders": [{"public_id": "d" * 32, "customer": None}],
    "subscriptions": [
        {"public_id": "c" * 32, "customer": "7", "merchant": "another", "live": True},
        {"public_id": "b" * 32, "customer": "7", "merchant": MERCHANT, "live": "perhaps"},
    ],
    "payments": [{"public_id": "a" * 32, "customer": "7", "cc_type": "x", "token_id": "secret"}],
}


def test_what_becomes_no_record_is_counted() -> None:
    """Of nobody, of another merchant, or unreadable: then its bytes are a dead letter."""
    found = tell(whole, customers=0, put=ODD)

    assert {
        ("items", "no_customer"): 1,
        ("orders", "no_customer"): 1,
        ("subscriptions", "foreign"): 1,
        ("subscriptions", "dead_letter"): 1,
        ("payments", "dead_letter"): 1,
    } == found.counts
    assert [] == found.records
    assert {("wrong_type", "object.live"), ("wrong_type", "payments.cc_type")} == {
        (letter["reason"], letter["field"]) for letter in found.letters
    }
    assert not any(b"secret" in letter["value"] for letter in found.letters)


def test_what_changes_meanwhile_comes_later_or_again() -> None:
    """A shop that is open: no entity is left out, and what changed is told as it is then, too."""
    found = tell(whole, customers=120, churn=3)

    assert truth(found.simulator) == set(found.entities)
    assert sum(found.entities.values()) > len(found.entities)
