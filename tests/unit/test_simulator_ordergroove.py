"""The simulated Ordergroove REST API, held against its contract by requests written by hand."""

from __future__ import annotations

import select
import subprocess
import sys
from typing import Any

import httpx2
import pytest

from streams.cli import commands
from streams.errors import ConfigurationError
from streams.simulators.faults import Fault
from tests.support.ordergroove_simulator import (
    HEADERS,
    JSON,
    MERCHANT,
    NOW,
    Account,
    everything,
    ids,
    listed,
    put,
    tell,
    walk,
)

KINDS = ("customers", "subscriptions", "orders", "items", "payments", "addresses", "products")
SUBSCRIPTION: JSON = {"public_id": "s1", "customer": "0088123", "product": "44120991", "live": True}


def test_from_the_command_line() -> None:
    """`--switch NAME=VALUE` says how large the shop is, and what else can be chosen."""
    command = [sys.executable, "-m", "streams", "simulate", "ordergroove", "--port", "0"]
    command += ["--switch", "customers=12", "--switch", "zone=America/New_York"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        try:
            assert program.stdout is not None
            select.select([program.stdout], [], [], 60)
            url = program.stdout.readline().strip()
            state = httpx2.get(f"{url}/_control/state", trust_env=False).json()
        finally:
            program.terminate()

    assert 12 == state["customers"]
    assert 0 == program.returncode


@pytest.mark.parametrize("switch", ["customers", "customers=many", "people=3", "zone=Mars"])
def test_a_switch_that_is_none(switch: str) -> None:
    """Exit 2, and which one it is."""
    arguments = ["simulate", "ordergroove", "--port", "0", "--switch", switch]
    with pytest.raises(ConfigurationError, match=switch.partition("=")[0]):
        commands(arguments, standalone_mode=False)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_listed_and_retrieved(kind: str) -> None:
    """One entity of a list is the same when it is asked for alone, but for its extra data."""

    async def story(account: Account) -> Any:
        page = await listed(account, kind)
        first = page["results"][0]
        names = {"customers": "merchant_user_id", "products": "external_product_id"}
        id_ = first[names.get(kind, "public_id")]
        alone = await account.get(f"/{kind}/{id_}/")
        none = await account.get(f"/{kind}/nobody/")
        return first, alone.json(), none.status_code, page.keys()

    first, alone, missing, keys = tell(story, customers=10)

    assert {**first, "extra_data": None} == {**alone, "extra_data": None}
    assert 404 == missing
    assert {"next", "previous", "results"} == keys


def test_pages_have_ten_unless_told_and_a_hundred_at_most() -> None:
    """`page_size`; a cursor page has no count, and the last one no next."""

    async def story(account: Account) -> Any:
        sizes = [
            len((await listed(account, "customers", **query))["results"])
            for query in ({}, {"page_size": "7"}, {"page_size": "1000"}, {"page_size": "x"})
        ]
        pages = await walk(account, "customers", page_size="100")
        return sizes, [len(page) for page in pages]

    assert ([10, 7, 100, 10], [100, 100, 50]) == tell(story, customers=250)


def test_without_the_version_pages_have_numbers_and_a_count() -> None:
    """The deprecated way; a page beyond the last is not found."""

    async def story(account: Account) -> Any:
        del account.headers["x-og-api-version"]
        first = await listed(account, "customers")
        second = await listed(account, "customers", page="2")
        beyond = await account.get("/customers/?page=4")
        numbers = [each["merchant_user_id"] for each in first["results"] + second["results"]]
        return first["count"], len(set(numbers)), "page=2" in first["next"], beyond.status_code

    assert (25, 20, True, 404) == tell(story, customers=25)


def test_a_page_leads_back_to_the_one_before() -> None:
    """`previous` has what stood before."""

    async def story(account: Account) -> Any:
        first = await listed(account, "customers")
        second = (await account.client.get(first["next"], headers=HEADERS)).json()
        again = (await account.client.get(second["previous"], headers=HEADERS)).json()
        return first["previous"], first["results"] == again["results"], again["next"] is not None

    assert (None, True, True) == tell(story, customers=25)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["s1", "s2", "s3"]),
        ({"updated_start": "2026-10-01"}, ["s2", "s3"]),
        ({"updated_start": "2026-10-01T08:00:00"}, ["s2", "s3"]),
        ({"updated_start": "2026-10-01T08:00:01"}, ["s3"]),
        ({"updated_end": "2026-10-01T08:00:00"}, ["s1", "s2"]),
        ({"updated_start": "2026-10-01", "updated_end": "2026-10-02"}, ["s2"]),
        ({"created_start": "2026-10-02"}, ["s3"]),
        ({"customer": "0088123"}, ["s1", "s2"]),
        ({"customer": "88123"}, []),
        ({"live": "true"}, ["s1", "s3"]),
        ({"live": "False"}, ["s2"]),
        ({"product": "44120991", "live": "true"}, ["s1"]),
    ],
)
def test_filters_of_subscriptions(query: dict[str, str], found: list[str]) -> None:
    """Both forms of times, read in the shop's zone; the others by value, zeros in front matter."""

    async def story(account: Account) -> Any:
        await put(
            account,
            "subscriptions",
            {**SUBSCRIPTION, "created": "2026-09-01 00:00:00", "updated": "2026-09-30 23:59:59"},
            {
                **SUBSCRIPTION,
                "public_id": "s2",
                "live": False,
                "created": "2026-09-01 00:00:00",
                "updated": "2026-10-01 08:00:00",
            },
            {
                "public_id": "s3",
                "customer": "h7",
                "product": "0071001",
                "live": True,
                "created": "2026-10-02 00:00:00",
                "updated": "2026-10-02 09:00:00",
            },
        )
        return ids((await listed(account, "subscriptions", **query))["results"])

    assert found == tell(story)


@pytest.mark.parametrize(
    ("kind", "query"),
    [
        ("items", {"updated_start": "2026-10-01"}),
        ("payments", {"updated_start": "2026-10-01"}),
        ("products", {"updated_start": "2026-10-01"}),
        ("orders", {"updated_since": "2026-10-01"}),
        ("orders", {"updated_start": "2026-10-01 08:00:00"}),
        ("orders", {"updated_start": "2026-10-01T08:00:00Z"}),
        ("orders", {"updated_start": "yesterday"}),
    ],
)
def test_what_there_is_no_filter_for(kind: str, query: dict[str, str]) -> None:
    """Items, payments and products have no `updated`; times have two forms and no other."""

    async def story(account: Account) -> int:
        return (await account.client.get(f"/{kind}/", params=query, headers=HEADERS)).status_code

    assert 400 == tell(story, customers=1)


def test_an_unknown_filter_may_be_ignored() -> None:
    """The other reading, by its switch."""

    async def story(account: Account) -> int:
        return len((await listed(account, "payments", updated_start="2026-10-01"))["results"])

    assert 1 == tell(story, customers=1, unknown_filters="ignore")


def test_items_move_with_their_order() -> None:
    """They have its `updated`, and a change of theirs is one of the order's."""

    async def story(account: Account) -> Any:
        old = {"created": NOW - 9_000, "updated": NOW - 9_000}
        await put(account, "orders", {"public_id": "o1", "customer": "7", "status": 1, **old})
        await put(account, "orders", {"public_id": "o2", "customer": "7", "status": 5, **old})
        at = {"order_updated": int(NOW) - 9_000}
        items = [{"public_id": f"i{n}", "order": f"o{n}", "quantity": 1, **at} for n in (1, 2)]
        await put(account, "items", *items)
        unsent = ids((await listed(account, "items", status="1"))["results"])
        account.now += 60
        await put(account, "items", {"public_id": "i1", "quantity": 2})
        since = {"order_updated_start": "2026-10-01T07:00:30"}
        moved = ids((await listed(account, "items", **since))["results"])
        orders = ids(
            (await listed(account, "orders", updated_start="2026-10-01T07:00:30"))["results"]
        )
        await account.client.delete("/_control/entities/items/i2")
        later = ids(
            (await listed(account, "orders", updated_start="2026-10-01T07:00:30"))["results"]
        )
        return unsent, moved, orders, later, (await account.get("/items/i2/")).status_code

    assert (["i1"], ["i1"], ["o1"], ["o1", "o2"], 404) == tell(story)


def test_orders_and_items_of_a_subscription() -> None:
    """A subscription has no field for its orders: items link the two."""

    async def story(account: Account) -> Any:
        every = await everything(account, "items")
        subscription = every[0]["subscription"]
        wanted = [each for each in every if each["subscription"] == subscription]
        items = (await listed(account, "items", subscription=subscription))["results"]
        orders = (await listed(account, "orders", subscription=subscription))["results"]
        return (
            sorted(ids(wanted)) == sorted(ids(items)),
            {each["order"] for each in wanted} == set(ids(orders)),
        )

    assert (True, True) == tell(story, customers=50)


def test_products_that_are_hidden() -> None:
    """Those out of autoship and the discontinued are listed on request only."""

    async def story(account: Account) -> Any:
        whole = {"autoship_enabled": "all", "allow_discontinued": "true"}
        queries: list[dict[str, str]] = [
            {},
            {"autoship_enabled": "all"},
            {"allow_discontinued": "true"},
            whole,
        ]
        found = [await listed(account, "products", page_size="100", **query) for query in queries]
        return [len(page["results"]) for page in found]

    assert [9, 10, 10, 11] == tell(story)


@pytest.mark.parametrize(
    ("key", "path", "status"),
    [
        (None, "/customers/", 401),
        ("another", "/customers/", 401),
        ("whole", "/customers/", 200),
        ("single", "/customers/", 403),
        ("single", "/customers/?email=customer-1@shop-demo.io", 200),
        ("single", "/subscriptions/", 403),
        ("single", "/subscriptions/?customer=7", 200),
        ("single", "/items/?order=7", 200),
        ("single", "/items/?one_time=true", 403),
        ("single", "/customers/0000000/", 200),
        ("single", "/products/", 200),
        ("whole", "/shoppers/", 404),
    ],
)
def test_who_may_ask_what(key: str | None, path: str, status: int) -> None:
    """Without Bulk Operations one customer at a time; single entities and products as anybody."""

    async def story(account: Account) -> int:
        headers = {} if key is None else {"x-api-key": key}
        return (await account.client.get(path, headers=headers)).status_code

    keys = {"whole": {}, "single": {"bulk": False}}
    assert status == tell(story, customers=3, keys=keys)


def test_nothing_is_changed_by_the_api() -> None:
    """Reading is all that this simulator is for."""

    async def story(account: Account) -> int:
        return (await account.post("/customers/", {})).status_code

    assert 405 == tell(story)


def test_six_thousand_a_minute() -> None:
    """The next one is refused until the minute is over, whatever it asks and whoever asks."""

    async def story(account: Account) -> Any:
        statuses = [(await account.get("/products/")).status_code for _ in range(60)]
        other = await account.client.get("/customers/", headers={"x-api-key": "another"})
        account.now += 60
        later = await account.get("/products/")
        return set(statuses), other.status_code, other.headers.get("Retry-After"), later.status_code

    assert ({200}, 429, None, 200) == tell(story, limits=0.01)


@pytest.mark.parametrize("status", [423, 429, 500, 503])
def test_a_status_on_demand(status: int) -> None:
    """Once; then as if nothing had been."""

    async def story(account: Account) -> Any:
        return [(await account.get("/customers/")).status_code for _ in range(2)]

    fault = Fault(kind="status", status=status, count=1)
    assert [status, 200] == tell(story, faults=(fault,))


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        ("America/Chicago", "2026-10-01 07:00:00"),
        ("America/New_York", "2026-10-01 08:00:00"),
        ("Etc/GMT+6", "2026-10-01 06:00:00"),
    ],
)
def test_times_have_no_zone(zone: str, text: str) -> None:
    """They are told on the wall clock of a zone, which the contract is not sure of."""

    async def story(account: Account) -> Any:
        moments = {"created": NOW, "updated": int(NOW), "place": int(NOW)}
        await put(account, "orders", {"public_id": "o1", "customer": "7", **moments})
        [order] = (await listed(account, "orders", updated_start=text.replace(" ", "T")))["results"]
        return order["updated"], order["place"]

    assert (text, text) == tell(story, zone=zone)


@pytest.mark.parametrize("compares", ["wall", "instants"])
def test_an_hour_of_autumn_comes_twice(compares: str) -> None:
    """It is told alike both times; in lists what is written later comes later, or what is later."""
    first = 1_793_514_600  # 2026-11-01 01:30 CDT; the clock is put back half an hour later

    async def story(account: Account) -> Any:
        await put(account, "orders", {"public_id": "first", "updated": first})
        await put(account, "orders", {"public_id": "second", "updated": first + 3_600})
        await put(account, "orders", {"public_id": "third", "updated": first + 1_200})
        page = await listed(account, "orders", updated_start="2026-11-01T01:00:00")
        return [(each["public_id"], each["updated"][11:]) for each in page["results"]]

    in_order = {
        "wall": [("first", "01:30:00"), ("second", "01:30:00"), ("third", "01:50:00")],
        "instants": [("first", "01:30:00"), ("third", "01:50:00"), ("second", "01:30:00")],
    }
    assert in_order[compares] == tell(story, compares=compares)


def test_odd_forms_are_spread_through_the_shop() -> None:
    """Those that documents show; the same ones again; none where none are wanted."""

    async def story(account: Account) -> Any:
        names = ("subscriptions", "customers")
        told = {name: await everything(account, name) for name in names}
        again = await everything(account, "subscriptions")
        assert told["subscriptions"] == again
        return {
            "live": {type(each["live"]) for each in told["subscriptions"]},
            "code": {type(each["cancel_reason_code"]) for each in told["subscriptions"]},
            "parts": {type(each["components"]) for each in told["subscriptions"]},
            "extra": {each["extra_data"] for each in told["subscriptions"]},
            "phone": {each["phone_number"][:1] == "+" for each in told["customers"]},
        }

    nothing = type(None)
    assert {
        "live": {bool, str},
        "code": {int, str, nothing},
        "parts": {list, str},
        "extra": {"", "{}", '{"pet":"Miso"}'},
        "phone": {True, False},
    } == tell(story, customers=200, odd_share=0.3)
    assert {
        "live": {bool},
        "code": {int, nothing},
        "parts": {list},
        "extra": {"{}", '{"pet":"Miso"}'},
        "phone": {True},
    } == tell(story, customers=200, odd_share=0.0)


def test_extra_data_is_a_text_in_lists_and_an_object_alone() -> None:
    """As tables and examples have it, or an object everywhere."""

    async def story(account: Account) -> Any:
        [first] = (await listed(account, "orders", page_size="1"))["results"]
        alone = (await account.get(f"/orders/{first['public_id']}/")).json()
        return first["extra_data"], alone["extra_data"]

    assert ("{}", {}) == tell(story, customers=5, odd_share=0)
    assert ({}, {}) == tell(story, customers=5, odd_share=0, list_extra_data="object")


def test_the_same_shop_for_the_same_seed() -> None:
    """And another one for another."""

    async def story(account: Account) -> Any:
        return [await walk(account, kind, page_size="100") for kind in KINDS]

    one, same, other = (tell(story, customers=30, seed=seed) for seed in (1, 1, 2))
    assert one == same
    assert one != other


def test_what_is_true_can_be_asked_for() -> None:
    """By the control route, page by page: moments, and nothing odd; it needs no key."""

    async def story(account: Account) -> Any:
        told = await everything(account, "subscriptions")
        path = "/_control/entities/subscriptions"
        true = []
        for offset in range(0, len(told) + 50, 50):
            page = await account.client.get(f"{path}?offset={offset}&limit=50")
            true += page.json()["entities"]
        wrong = (await account.client.get("/_control/entities/people")).status_code
        return set(ids(told)) == set(ids(true)), len(told) - len(true), true[0], wrong

    same, more, first, wrong = tell(story, customers=100, odd_share=1.0)
    assert (True, 0, 404) == (same, more, wrong)
    assert isinstance(first["updated"], int)
    assert first["live"] in {True, False}


def test_what_is_put_is_told_as_it_was_put() -> None:
    """However odd; what it does not say stays, and it counts as changed now."""

    async def story(account: Account) -> Any:
        await put(account, "customers", {"merchant_user_id": "7", "live": "True", "locale": 1})
        account.now += 5
        await put(account, "customers", {"merchant_user_id": "7", "extra_data": ""})
        slip = await account.client.put("/_control/entities/customers", json={"entities": [{}]})
        return (await account.get("/customers/7/")).json(), slip.status_code

    told, slip = tell(story, odd_share=1.0)
    assert 400 == slip
    assert {
        "merchant_user_id": "7",
        "live": "True",
        "locale": 1,
        "extra_data": "",
        "created": "2026-10-01 07:00:00",
        "last_updated": "2026-10-01 07:00:05",
    } == told


def test_a_reset_is_the_shop_of_the_start() -> None:
    """What was put in or taken away is forgotten."""

    async def story(account: Account) -> Any:
        before = await account.state()
        await put(account, "customers", {"merchant_user_id": "new"})
        await account.client.delete("/_control/entities/products/44120991")
        between = await account.state()
        await account.client.post("/_control/reset")
        return before == await account.state(), between["customers"], between["products"]

    assert (True, 6, 10) == tell(story, customers=5)


def test_keys_are_not_recorded() -> None:
    """Requests are, with the key masked."""

    async def story(account: Account) -> Any:
        await account.get("/customers/")
        return (await account.client.get("/_control/requests")).json()["requests"]

    [request] = tell(story)
    assert "***" == request["headers"]["x-api-key"]


def test_the_generated_shop_belongs_together() -> None:
    """Every reference leads to something, of the same merchant, and nothing is from later."""

    async def story(account: Account) -> Any:
        found = {}
        for kind in KINDS:
            entities = (await account.client.get(f"/_control/entities/{kind}")).json()["entities"]
            found[kind] = entities
        return found

    as_of = 1_789_992_000
    shop = tell(story, customers=150)
    known = {kind: {each["public_id"] for each in shop[kind]} for kind in KINDS[1:6]}
    people = {each["merchant_user_id"] for each in shop["customers"]}
    for each in shop["subscriptions"] + shop["orders"]:
        assert {each["customer"], MERCHANT} <= people | {each["merchant"]}
        assert each["payment"] in known["payments"]
        assert each["shipping_address"] in known["addresses"]
        assert each["created"] <= each["updated"] <= as_of
    for each in shop["items"]:
        assert each["order"] in known["orders"]
        assert each["subscription"] in known["subscriptions"]
