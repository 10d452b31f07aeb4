"""How Ordergroove writes values (contracts/ordergroove.md §1.3, §2.1, §5): each row a case."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from streams.sources.ordergroove import quirks as q

SUMMER = "2026-07-01T12:00:00Z"


def reading(received: str = SUMMER) -> q.Reading:
    """What a value is read with: Chicago, the United States, and when the record came."""
    received_at = int(datetime.fromisoformat(received).timestamp() * 1000)
    return q.Reading(ZoneInfo("America/Chicago"), "US", received_at)


def utc(millis: int | None) -> str | None:
    """A time as people check it."""
    if millis is None:
        return None
    return datetime.fromtimestamp(millis / 1000, ZoneInfo("UTC")).isoformat()


@pytest.mark.parametrize(
    ("read", "value", "expected"),
    [
        pytest.param(q.text, "44120991", "44120991", id="text"),
        pytest.param(q.text, "  Noor ", "Noor", id="text with space around it"),
        pytest.param(q.text, "", None, id="empty text"),
        pytest.param(q.text, "   ", None, id="blank text"),
        pytest.param(q.text, None, None, id="no text"),
        pytest.param(q.text, 44120991, "44120991", id="an id without its quotes"),
        pytest.param(q.text, "0088123", "0088123", id="an id with leading zeros"),
        pytest.param(q.text, "11100-C01", "11100-C01", id="an id of any shape"),
        pytest.param(q.text, "noor@shop-demo.io", "noor@shop-demo.io", id="an id like an address"),
        pytest.param(q.text, "Çağla 🐈", "Çağla 🐈", id="any script"),
        pytest.param(q.integer, 8, 8, id="integer"),
        pytest.param(q.integer, 0, 0, id="zero"),
        pytest.param(q.integer, "8", 8, id="integer as text"),
        pytest.param(q.integer, " 8 ", 8, id="integer as text with space"),
        pytest.param(q.integer, "4|", 4, id="integer with a pipe"),
        pytest.param(q.integer, 8.0, 8, id="integer as a float"),
        pytest.param(q.integer, None, None, id="no integer"),
        pytest.param(q.integer, "", None, id="empty integer"),
        pytest.param(q.integer, 2**31 - 1, 2**31 - 1, id="largest integer"),
        pytest.param(q.integer, -(2**31), -(2**31), id="smallest integer"),
        pytest.param(q.number, 129.6, 129.6, id="number"),
        pytest.param(q.number, "129.60", 129.6, id="number as text"),
        pytest.param(q.number, 3, 3.0, id="whole number"),
        pytest.param(q.number, None, None, id="no number"),
        pytest.param(q.number, "", None, id="empty number"),
        pytest.param(q.boolean, True, True, id="true"),
        pytest.param(q.boolean, False, False, id="false"),
        pytest.param(q.boolean, "True", True, id="true as the list prints it"),
        pytest.param(q.boolean, "False", False, id="false as the list prints it"),
        pytest.param(q.boolean, "true", True, id="true in lower case"),
        pytest.param(q.boolean, None, None, id="neither"),
        pytest.param(q.money, "22.90", "22.90", id="money"),
        pytest.param(q.money, "0.00", "0.00", id="no money"),
        pytest.param(q.money, "24", "24.00", id="money without cents"),
        pytest.param(q.money, 24, "24.00", id="money as an integer"),
        pytest.param(q.money, 0.1, "0.10", id="money as a float"),
        pytest.param(q.money, "1234567890123.45", "1234567890123.45", id="more than a float holds"),
        pytest.param(q.money, "-6.00", "-6.00", id="money back"),
        pytest.param(q.money, " 4.50 ", "4.50", id="money with space"),
        pytest.param(q.money, None, None, id="money not told"),
        pytest.param(q.money, "", None, id="empty money"),
        pytest.param(q.day, "2026-10-15", "2026-10-15", id="day"),
        pytest.param(q.day, "2026-10-15 00:00:00", "2026-10-15", id="day of a full time"),
        pytest.param(q.day, "2026-10-15T23:30:00-05:00", "2026-10-15", id="day of an ISO time"),
        pytest.param(q.day, None, None, id="no day"),
        pytest.param(q.day, "", None, id="empty day"),
        pytest.param(q.card_expiry, "09/2026", "09/2026", id="card expiry"),
        pytest.param(q.card_expiry, "12/2099", None, id="the filler"),
        pytest.param(q.card_expiry, " 12/2099 ", None, id="the filler with space"),
        pytest.param(q.card_expiry, "12/2098", "12/2098", id="a December that is none"),
        pytest.param(q.card_expiry, None, None, id="no card expiry"),
        pytest.param(q.card_expiry, "", None, id="empty card expiry"),
        pytest.param(q.json_text, {"pet": "Miso"}, '{"pet":"Miso"}', id="extra_data as an object"),
        pytest.param(q.json_text, '{"pet": "Miso"}', '{"pet": "Miso"}', id="extra_data as text"),
        pytest.param(q.json_text, {}, "{}", id="extra_data as an empty object"),
        pytest.param(q.json_text, None, None, id="extra_data as null"),
        pytest.param(q.json_text, "", None, id="extra_data as empty text"),
    ],
)
def test_a_value_is_read(read: Any, value: Any, expected: Any) -> None:
    """Each form of a value gives ours, or None where it tells nothing."""
    found = read(value, reading())

    assert (expected, type(expected)) == (found, type(found))


@pytest.mark.parametrize(
    ("read", "value"),
    [
        pytest.param(q.text, True, id="text: a boolean"),
        pytest.param(q.text, ["44120991"], id="text: a list"),
        pytest.param(q.text, {"id": "44120991"}, id="text: an object"),
        pytest.param(q.integer, True, id="integer: a boolean"),
        pytest.param(q.integer, "two", id="integer: a word"),
        pytest.param(q.integer, 8.5, id="integer: a fraction"),
        pytest.param(q.integer, [8], id="integer: a list"),
        pytest.param(q.integer, 2**31, id="integer: beyond 32 bits"),
        pytest.param(q.integer, -(2**31) - 1, id="integer: below 32 bits"),
        pytest.param(q.integer, 1e300, id="integer: a huge float"),
        pytest.param(q.number, True, id="number: a boolean"),
        pytest.param(q.number, "much", id="number: a word"),
        pytest.param(q.number, "nan", id="number: none"),
        pytest.param(q.number, "inf", id="number: without end"),
        pytest.param(q.number, {}, id="number: an object"),
        pytest.param(q.boolean, 1, id="boolean: a number"),
        pytest.param(q.boolean, "yes", id="boolean: a word"),
        pytest.param(q.boolean, "", id="boolean: empty"),
        pytest.param(q.money, "22,90", id="money: a comma"),
        pytest.param(q.money, "$22.90", id="money: a sign"),
        pytest.param(q.money, "NaN", id="money: no number"),
        pytest.param(q.money, "Infinity", id="money: without end"),
        pytest.param(q.money, "1e99999999", id="money: a hundred million digits"),
        pytest.param(q.money, True, id="money: a boolean"),
        pytest.param(q.money, {"amount": "1"}, id="money: an object"),
        pytest.param(q.day, 1760452810, id="day: seconds"),
        pytest.param(q.day, "10/15/2026", id="day: as Americans write it"),
        pytest.param(q.day, "2026-02-30", id="day: none on the calendar"),
        pytest.param(q.instant, "yesterday", id="time: a word"),
        pytest.param(q.instant, True, id="time: a boolean"),
        pytest.param(q.instant, [1760452810], id="time: a list"),
        pytest.param(q.instant, 1760452810000, id="time: milliseconds"),
        pytest.param(q.instant, "1760452810000", id="time: milliseconds as text"),
        pytest.param(q.instant, -(10**12), id="time: before all calendars"),
        pytest.param(q.instant, "0001-01-01 00:00:00", id="time: nobody's first day"),
        pytest.param(q.instant, "2026-13-01 00:00:00", id="time: a thirteenth month"),
        pytest.param(q.phone, 5.5j, id="phone: no text"),
        pytest.param(q.components, {"product": "1"}, id="components: an object"),
        pytest.param(q.components, [["1"]], id="components: lists"),
        pytest.param(q.components, 5, id="components: a number"),
        pytest.param(q.prepaid, "yes", id="prepaid: a word"),
        pytest.param(q.prepaid, [1], id="prepaid: a list"),
    ],
)
def test_what_cannot_be_read_says_so(read: Any, value: Any) -> None:
    """A value of another kind raises ValueError, which becomes a dead letter with its path."""
    with pytest.raises(ValueError, match=r".+"):
        read(value, reading())


@pytest.mark.parametrize(
    ("value", "received", "expected"),
    [
        pytest.param(1760452811, SUMMER, "2025-10-14T14:40:11+00:00", id="epoch seconds"),
        pytest.param("1760452811", SUMMER, "2025-10-14T14:40:11+00:00", id="as text"),
        pytest.param(0, SUMMER, "1970-01-01T00:00:00+00:00", id="zero"),
        pytest.param(-86400, SUMMER, "1969-12-31T00:00:00+00:00", id="before 1970"),
        pytest.param(
            "2026-07-01 08:00:00", SUMMER, "2026-07-01T13:00:00+00:00", id="naive, Chicago's summer"
        ),
        pytest.param(
            "2026-01-15 08:00:00", SUMMER, "2026-01-15T14:00:00+00:00", id="naive, Chicago's winter"
        ),
        pytest.param(
            "2026-07-01 08:00:00.250", SUMMER, "2026-07-01T13:00:00.250000+00:00", id="naive, parts"
        ),
        pytest.param("2026-07-01", SUMMER, "2026-07-01T05:00:00+00:00", id="a day is its midnight"),
        pytest.param("2026-07-01T08:00:00Z", SUMMER, "2026-07-01T08:00:00+00:00", id="ISO, Z"),
        pytest.param(
            "2026-07-01T08:00:00-05:00", SUMMER, "2026-07-01T13:00:00+00:00", id="ISO, Chicago"
        ),
        pytest.param(
            "2027-07-28T18:48:37.783Z", SUMMER, "2027-07-28T18:48:37.783000+00:00", id="ISO, parts"
        ),
        pytest.param(
            "2026-11-01 01:30:00",
            "2026-11-01T06:31:00Z",
            "2026-11-01T06:30:00+00:00",
            id="the hour that comes twice, received in the first",
        ),
        pytest.param(
            "2026-11-01 01:30:00",
            "2026-11-01T07:31:00Z",
            "2026-11-01T07:30:00+00:00",
            id="the hour that comes twice, received in the second",
        ),
        pytest.param(
            "2026-11-01 01:30:00",
            "2026-11-20T00:00:00Z",
            "2026-11-01T07:30:00+00:00",
            id="the hour that comes twice, received long after: the later is nearer",
        ),
        pytest.param(
            "2026-03-08 02:30:00",
            "2026-03-08T08:31:00Z",
            "2026-03-08T08:30:00+00:00",
            id="the hour that never was, by winter's clock",
        ),
        pytest.param(
            "2026-03-08 02:30:00",
            "2026-03-08T07:29:00Z",
            "2026-03-08T07:30:00+00:00",
            id="the hour that never was, by summer's clock",
        ),
        pytest.param(None, SUMMER, None, id="null"),
        pytest.param("", SUMMER, None, id="empty"),
    ],
)
def test_a_time_is_read(value: Any, received: str, expected: str | None) -> None:
    """Seconds in webhooks, naive Chicago time in REST entities, ISO elsewhere."""
    assert expected == utc(q.instant(value, reading(received)))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("+13125550148", "+13125550148", id="E.164"),
        pytest.param("312-555-0148", "+13125550148", id="dashes"),
        pytest.param("555-555-5555", "+15555555555", id="the documents' own example"),
        pytest.param("(312) 555 0148", "+13125550148", id="brackets"),
        pytest.param("1 312 555 0148", "+13125550148", id="country code without plus"),
        pytest.param("+44 20 7946 0018", "+442079460018", id="another country"),
        pytest.param("312-555-0148 ext. 5", "+13125550148", id="an extension"),
        pytest.param("555-0148", None, id="a local number"),
        pytest.param(3125550148, "+13125550148", id="a number"),
        pytest.param("123", None, id="too short"),
        pytest.param("+1312555014890123", None, id="too long"),
        pytest.param("call me", None, id="words"),
        pytest.param("+999 555 0148", None, id="no country"),
        pytest.param("", None, id="empty"),
        pytest.param(None, None, id="null"),
    ],
)
def test_a_phone_number_is_normalised(value: Any, expected: str | None) -> None:
    """E.164, or nothing: a number that cannot be one is no identifier."""
    assert expected == q.phone(value, reading())


def test_a_bare_number_belongs_to_the_region() -> None:
    """Numbers without a country code are read in the configured region."""
    british = reading()._replace(region="GB")

    assert "+442079460018" == q.phone("020 7946 0018", british)


@pytest.mark.parametrize(
    ("reason", "code", "expected"),
    [
        pytest.param("8|Costs too much", 8, ("Costs too much", 8), id="code and text"),
        pytest.param("8|Costs too much", None, ("Costs too much", 8), id="code in the text alone"),
        pytest.param("8|Costs too much", "8", ("Costs too much", 8), id="code as text"),
        pytest.param("8|Costs too much", 22, ("Costs too much", 22), id="the field's code wins"),
        pytest.param("Costs too much", None, ("Costs too much", None), id="plain text"),
        pytest.param("Costs too much", 8, ("Costs too much", 8), id="plain text beside a code"),
        pytest.param("5|other|my cat moved", 5, ("other|my cat moved", 5), id="three parts"),
        pytest.param("4|", None, (None, 4), id="code without text"),
        pytest.param("4|", "4|", (None, 4), id="code with a pipe"),
        pytest.param(" 8 | Costs too much ", None, ("Costs too much", 8), id="space"),
        pytest.param("price|Costs too much", None, ("price|Costs too much", None), id="no number"),
        pytest.param("|Costs too much", None, ("|Costs too much", None), id="no head"),
        pytest.param("8", None, ("8", None), id="a number without a pipe is text"),
        pytest.param(
            "3125550148|call me", None, ("3125550148|call me", None), id="a number that is no code"
        ),
        pytest.param("²|squared", None, ("²|squared", None), id="a digit that is no number"),
        pytest.param(None, 8, (None, 8), id="code alone"),
        pytest.param("", None, (None, None), id="empty"),
        pytest.param(None, None, (None, None), id="null"),
    ],
)
def test_a_cancel_reason_is_taken_apart(
    reason: Any, code: Any, expected: tuple[str | None, int | None]
) -> None:
    """Split at the first pipe only, the numeric head taken off; labels are never looked up."""
    assert expected == q.cancel_reason(reason, code, reading())


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(
            '{"code": "120", "message": "Card has lapsed"}', ("120", "Card has lapsed"), id="JSON"
        ),
        pytest.param(
            "{'code': '140', 'message': 'Declined'}", ("140", "Declined"), id="python-like"
        ),
        pytest.param({"code": "120", "message": "Lapsed"}, ("120", "Lapsed"), id="an object"),
        pytest.param('{"code": "030", "message": "Stop"}', ("030", "Stop"), id="leading zero"),
        pytest.param('{"code": 30, "message": "Stop"}', ("030", "Stop"), id="zero lost"),
        pytest.param('{"code": 0, "message": "Fine"}', ("000", "Fine"), id="zeros lost"),
        pytest.param("{'code': 30, 'message': None}", ("030", None), id="python-like None"),
        pytest.param(
            '{"code": "PAYMENT_METHOD_DECLINED"}',
            ("PAYMENT_METHOD_DECLINED", None),
            id="a platform's own code",
        ),
        pytest.param(
            '{"code": "140", "message": "No", "category": "payment"}',
            ("140", "No"),
            id="with category",
        ),
        pytest.param('{"message": "Declined"}', (None, "Declined"), id="message alone"),
        pytest.param('{"code": "", "message": ""}', (None, None), id="both empty"),
        pytest.param("Card has lapsed", (None, "Card has lapsed"), id="text"),
        pytest.param("140", (None, "140"), id="a code alone is text"),
        pytest.param('["140"]', (None, '["140"]'), id="a list is text"),
        pytest.param("{code: 140}", (None, "{code: 140}"), id="neither JSON nor python"),
        pytest.param("{'140'}", (None, "{'140'}"), id="a set"),
        pytest.param("{{code}}", (None, "{{code}}"), id="a template nobody filled"),
        pytest.param("{[]: 1}", (None, "{[]: 1}"), id="a key that can be none"),
        pytest.param("{}", (None, None), id="superseded, before March 2026"),
        pytest.param("", (None, None), id="empty"),
        pytest.param(None, (None, None), id="null"),
        pytest.param({}, (None, None), id="an empty object"),
    ],
)
def test_a_rejection_is_taken_apart(value: Any, expected: tuple[str | None, str | None]) -> None:
    """Code and message out of JSON or python-like text; any other text is the message."""
    assert expected == q.rejection(value, reading())


def test_text_that_nests_without_end_is_text() -> None:
    """A rejection that no parser survives is kept as what it is."""
    deep = '{"a":' * 100_000

    assert (None, deep) == q.rejection(deep, reading())


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param([], [], id="none"),
        pytest.param("", [], id="empty text"),
        pytest.param(None, [], id="null"),
        pytest.param(
            "44120991, 44121007,",
            [{"product": "44120991"}, {"product": "44121007"}],
            id="comma-separated",
        ),
        pytest.param(
            [{"product": "44120991", "public_id": "d1c2", "quantity": 2}],
            [{"product": "44120991", "public_id": "d1c2", "quantity": 2}],
            id="objects",
        ),
        pytest.param(
            [{"product": 44120991, "quantity": None}],
            [{"product": "44120991", "public_id": None, "quantity": None}],
            id="objects with less",
        ),
    ],
)
def test_components_have_three_shapes(value: Any, expected: Any) -> None:
    """An array of objects, a comma-separated string, or nothing."""
    assert expected == q.components(value, reading())


@pytest.mark.parametrize("value", [None, {}, ""], ids=["null", "{}", "empty"])
def test_not_prepaid_has_several_spellings(value: Any) -> None:
    """null, and {} in cancel events, mean not prepaid."""
    assert q.prepaid(value, reading()) is None


def test_a_prepaid_context_is_read() -> None:
    """Counts are integers, the revenue is a number, the order keeps its sign."""
    written = {
        "prepaid_orders_remaining": 0,
        "prepaid_orders_per_billing": "3",
        "renewal_behavior": "autorenew",
        "last_renewal_revenue": 129.6,
        "prepaid_origin_merchant_order_id": "#70441",
    }

    assert {
        "orders_remaining": 0,
        "orders_per_billing": 3,
        "renewal_behavior": "autorenew",
        "last_renewal_revenue": 129.6,
        "origin_merchant_order_id": "#70441",
    } == q.prepaid(written, reading())
