"""A merchant's own records, of a schema that shares nothing with ours, by configuration."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from streams.cli.mapping import mapping_of
from streams.errors import BadRecord, ConfigurationError
from streams.model.events import Item, Order, Product, Subscription
from streams.sources.ordergroove.mapping import compiled, events_of_records
from tests.support.foreign import (
    AT,
    COMPILED,
    MERCHANT,
    SETTINGS,
    as_read,
    changed,
    contract,
    notice,
    parcel,
    settings_of,
)

if TYPE_CHECKING:
    from streams.model.events import Event

KEY = b"club-0042"
EVENT = events_of_records()


def events(record: dict[str, Any], text: str = SETTINGS, key: bytes | None = KEY) -> list[Event]:
    """What a record becomes by the settings."""
    mapped = compiled(mapping_of(settings_of(text)), COMPILED)
    return [EVENT(each) for each in mapped(as_read(record), key)]


def bad(record: dict[str, Any], text: str = SETTINGS, key: bytes | None = KEY) -> BadRecord:
    """Why a record becomes nothing."""
    with pytest.raises(BadRecord) as found:
        events(record, text, key)
    return found.value


def wrong(text: str) -> ConfigurationError:
    """Why settings are not taken."""
    with pytest.raises(ConfigurationError) as found:
        compiled(mapping_of(settings_of(text)), COMPILED, strict=True)
    return found.value


def with_entry(line: str, table: str = "subscription") -> str:
    """The settings with one entry more."""
    head = f"[ordergroove.mapping.{table}]\n"
    return changed(head, f"{head}{line}\n")


def test_a_change_is_an_event() -> None:
    """Times in milliseconds, enums by table, unions stepped into, the merchant from nowhere."""
    [event] = events(notice(("STARTED", contract())))
    who = event.snapshot.customer

    assert ("subscription.create", AT, AT) == (event.type, event.created, event.received_at)
    assert (MERCHANT, "0042") == (event.merchant, event.customer_id)
    assert event.subject == Subscription(
        public_id="k-7", live=True, updated=AT, product="OAT-2", quantity=2, every=8,
        every_period=2, created=AT,
    )  # fmt: skip
    assert who is not None
    assert ("noor@shop-demo.io", "+13125550148", "Noor", "Hale") == (
        who.email,
        who.phone_number,
        who.first_name,
        who.last_name,
    )
    assert (Product("OAT-2", "Oat mix"),) == event.snapshot.products


def test_an_array_is_several_events_in_order() -> None:
    """Each with an id of the record's own and its place, whatever is ignored between them."""
    stopped = contract(running=False, after=5, ended={"grounds": "8|Costs too much"})
    changes = [("STARTED", contract()), ("NOTED", None), ("STOPPED", stopped)]
    found = events(notice(*changes))
    again = events(notice(*changes))

    assert [("88#0", "subscription.create"), ("88#2", "subscription.cancel")] == [
        (each.event_id, each.type) for each in found
    ]
    last = found[1].subject
    assert isinstance(last, Subscription)
    assert ("Costs too much", 8, False) == (last.cancel_reason, last.cancel_reason_code, last.live)
    assert found == again
    assert [] == events(notice(("NOTED", None)))
    assert [] == events(notice())


def test_an_order_with_its_lines() -> None:
    """Days since 1970, money in minor units and as a decimal, an entity of each of an array."""
    [event] = events(notice(("SHIPS_SOON", parcel())))

    assert Order("p-1", total="46.50", currency_code="EUR", place="2026-10-16") == event.subject
    assert (
        Item("l-1", order="p-1", subscription="k-7", product="OAT-2", total_price="42.00"),
    ) == event.snapshot.items


OTHERS: dict[str, tuple[str, str, Any]] = {
    "seconds": ('created = { path = "@.about.pieces", unit = "s" }', "created", 2000),
    "microseconds": ('created = { path = "moment", unit = "us" }', "created", AT // 1000),
    "text with a zone": (
        'created = { const = "2026-10-01T10:00:00", unit = "iso", zone = "America/Chicago" }',
        "created",
        AT,
    ),
    "text that says its zone": (
        'created = { const = "2026-10-01T15:00:00Z", unit = "iso" }',
        "created",
        AT,
    ),
    "an element by its place": ('merchant_order_id = "who.reach[0].to"', "", "9 Quay Rd"),
    "no such element": ('merchant_order_id = "who.reach[7].to"', "", None),
    "a number as text": ('merchant_order_id = "@.about.pieces"', "", "2"),
    "a boolean by table": (
        'merchant_order_id = { path = "@.about.running", values = { true = "on" } }',
        "",
        "on",
    ),
    "a path that only newer schemas have": (
        'merchant_order_id = { path = "@.about.coupon", optional = true }',
        "",
        None,
    ),
    "a field of another branch": ('merchant_order_id = "who.alias"', "", None),
}


@pytest.mark.parametrize("case", OTHERS)
def test_how_values_are_read(case: str) -> None:
    """By the entry's own words."""
    line, field, expected = OTHERS[case]
    text = with_entry(line)
    if field == "created":
        own = 'created = { path = "@.about.stamp", unit = "ms" }\n'
        text = changed(own, "", text) if own in text else text
    [event] = events(notice(("STARTED", contract())), text)

    assert expected == getattr(event.subject, field or "merchant_order_id")


@pytest.mark.parametrize(
    ("received", "created"),
    [
        ("2026-11-01T06:30:00Z", "2026-11-01T06:30:00Z"),
        ("2026-11-01T07:30:00Z", "2026-11-01T07:30:00Z"),
        ("", "2026-11-01T06:30:00Z"),
    ],
)
def test_an_hour_that_comes_twice_is_read_by_when_the_record_came(
    received: str, created: str
) -> None:
    """Half past one in Chicago, on the night that the clock goes back; untold: the earlier one."""
    told = 'created = { const = "2026-11-01T01:30:00", unit = "iso", zone = "America/Chicago" }'
    came = f'received_at = {{ const = "{received}", unit = "iso" }}\n' if received else ""
    own = 'created = { path = "moment", unit = "ms" }'
    text = SETTINGS.replace(own, f"{came}{told}", 1)
    [event] = events(notice(("STARTED", contract())), text)

    assert int(datetime.fromisoformat(created).timestamp() * 1_000) == event.created


WRONG: dict[str, tuple[str, str, str]] = {
    "an unmapped path": (
        changed("@.about.ended.grounds", "@.about.ended.ground"),
        "subscription.cancel_reason",
        (
            "unmapped path @.about.ended.ground: the writer's schema has no ground there."
            " Closest: grounds"
        ),
    ),
    "an unmapped path early on": (
        changed('event_id = "uid"', 'event_id = "head.uid"'),
        "event_id",
        (
            "unmapped path head.uid: the writer's schema has no head there."
            " Closest: changes, moment, uid"
        ),
    ),
    "an array that is none": (
        changed('each = "changes"', 'each = "who"'),
        "each",
        "who is no array in the writer's schema. Name an array",
    ),
    "an element outside of arrays": (
        changed('each = "changes"', ""),
        "type",
        "@.what begins at an element, and no `each` is around it. Drop the @",
    ),
    "no path at all": (
        with_entry('offer = "a..b"'),
        "subscription.offer",
        "'a..b' is no path. Write it like a.b, a[0].b, a[kind=HOME].b, @.b",
    ),
    "a field that we have not": (
        with_entry('quantty = "@.about.pieces"'),
        "subscription.quantty",
        "no such name of ours. Did you mean quantity?",
    ),
    "a time without its unit": (
        with_entry('cancelled = "@.about.stamp"'),
        "subscription.cancelled",
        "a time needs its unit. Set `unit` to one of s, ms, us, iso",
    ),
    "a unit for what is no time": (
        with_entry('offer = { path = "uid", unit = "ms" }'),
        "subscription.offer",
        "only times and days have a unit and a zone. Drop them",
    ),
    "the day of a time without a zone": (
        with_entry('start_date = { path = "moment", unit = "ms" }'),
        "subscription.start_date",
        "the day of a time needs a zone. Set `zone`, America/New_York say",
    ),
    "a type that does not fit": (
        with_entry('offer = "who.reach"'),
        "subscription.offer",
        (
            "the writer's schema has array there, which the field cannot hold."
            " Name another path, or a unit, scale or values that fit"
        ),
    ),
    "money that is no amount": (
        with_entry('sub_total = "@.about.parcel.sum"', "order"),
        "order.sub_total",
        (
            "the writer's schema has bytes there, which the field cannot hold."
            " Name another path, or a unit, scale or values that fit"
        ),
    ),
    "a value that the enum has not": (
        changed("DAY = 1", "DAYS = 1"),
        "subscription.every_period",
        "the writer's enum has no DAYS. It has: DAY, MONTH, WEEK",
    ),
    "a constant that does not fit": (
        with_entry('reminder_days = { const = "many" }'),
        "subscription.reminder_days",
        "the constant does not fit the field. Give it another",
    ),
    "a type that we have not": (
        changed("subscription.cancel", "subscription.cancle"),
        "type.subscription.cancle",
        "no such name of ours. Did you mean subscription.cancel?",
    ),
    "a type whose object is not mapped": (
        changed("order.reminder", "item.out_of_stock"),
        "item",
        "it is not mapped, and item.out_of_stock needs it. Add its table",
    ),
    "an entity without its id": (
        changed('public_id = "@.id"\n', ""),
        "snapshot.items.public_id",
        "there is no entry, and a record needs it. Add one",
    ),
    "a key of what may change": (
        changed("club-{customer_id}", "{region}-{customer_id}"),
        "key",
        (
            "a key is made of {merchant} and {customer_id}, and of nothing that may change."
            " Write it like {customer_id}; a topic with other keys needs `rekey.topic`"
        ),
    ),
    "a part that the key has not": (
        changed('key = "customer_id" }', 'key = "merchant" }'),
        "customer_id",
        "the key has no part merchant. Parts of `key`: customer_id",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_settings_must_be(case: str) -> None:
    """The entry, what is wrong with it, and the way to mend it."""
    text, entry, said = WRONG[case]

    assert f"ordergroove.mapping.{entry}: {said}" == str(wrong(text))


BAD: dict[str, tuple[dict[str, Any], bytes | None, tuple[str, str | None, str]]] = {
    "an enum value without a mapping": (
        notice(("MOVED", None)),
        KEY,
        ("unknown_value", "type", "`values` does not name MOVED, in element 0 of `each`"),
    ),
    "an element among good ones": (
        notice(("STARTED", contract()), ("STOPPED", None)),
        KEY,
        ("missing_field", "subscription.public_id", "a record needs it, in element 1 of `each`"),
    ),
    "a key made otherwise": (
        notice(("STARTED", contract())),
        b"0042",
        ("wrong_key", "key", "the record's key is not club-{customer_id}"),
    ),
    "no key": (
        notice(("STARTED", contract())),
        None,
        ("wrong_key", "key", "the record's key is not club-{customer_id}"),
    ),
    "a time beyond calendars": (
        notice(("STARTED", contract()), moment=AT * 1000),
        KEY,
        ("wrong_type", "created", "the value at created (moment) cannot be read, in element 0 of"),
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_record_that_does_not_fit_names_the_field(case: str) -> None:
    """The record as a whole is given up on, with the reason, the field and the element's place."""
    record, key, (reason, field, detail) = BAD[case]
    found = bad(record, key=key)

    assert (reason, field) == (found.reason, found.field)
    assert found.detail.startswith(detail)


def test_a_value_that_may_be_personal_is_not_named() -> None:
    """Only an enum's symbol is the schema's own word."""
    text = with_entry('offer = { path = "who.called.given", values = { Mo = "m" } }')
    found = bad(notice(("STARTED", contract())), text)

    assert ("unknown_value", "subscription.offer") == (found.reason, found.field)
    assert "Noor" not in str(found)


def test_a_key_that_its_events_do_not_have() -> None:
    """What the record says of its customer, and what its key says, must be one thing."""
    text = changed('{ key = "customer_id" }', '"who.called.given"')
    found = bad(notice(("STARTED", contract())), text)

    assert ("wrong_key", "key") == (found.reason, found.field)
    assert "Noor" not in str(found)


def test_a_writer_that_is_older_than_a_value() -> None:
    """What the newest schema may say takes nothing from records of an older one."""
    text = changed("WEEK = 2", "WEEK = 2, YEAR = 4")

    assert 1 == len(events(notice(("STARTED", contract())), text))


def test_an_event_id_of_the_element_stands_for_itself() -> None:
    """Where each change has its own id, the place adds nothing."""
    text = changed('event_id = "uid"', 'event_id = "@.about.no"')

    assert ["k-7"] == [each.event_id for each in events(notice(("STARTED", contract())), text)]
