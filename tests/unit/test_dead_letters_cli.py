"""`streams dead-letters` without Kafka: what is meant, what cannot go, what is shown."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from streams.cli import main
from streams.cli.dead_letters.boxes import boxes_of, readers_of, ways_of
from streams.cli.dead_letters.filters import filter_of, instant
from streams.cli.dead_letters.lines import count_lines, plan_lines, row_lines
from streams.errors import BadRecord, ConfigurationError
from streams.names import LARGEST
from streams.replay.letters import Letter, Place
from streams.replay.obstacles import (
    NEVER_A_RECORD,
    REDRIVEN,
    TOO_LARGE,
    WRONG_KEY,
    Ways,
    obstacle,
    target_of,
)
from streams.replay.reading import Box
from streams.replay.redrive import _lots
from streams.replay.showing import masked_event, masked_key, plain_event, plain_key, shown_headers
from streams.settings import load_settings

if TYPE_CHECKING:
    from pathlib import Path

NOON = 1_790_866_800_000
"""2026-10-01, 15:00 in Greenwich."""
HOUR = 3_600_000
SOURCE = "og.ordergroove.events"
BRIDGE = "shop.subscriptions"
WAYS = Ways(lambda name: f"og.deliveries.{name}", {"ordergroove": SOURCE}, rekey=BRIDGE)
DELIVERY = Letter(
    id="0d6f6a5e-9d3b-5c51-8d52-1f6f3d1a7b10:event",
    of="klaviyo",
    is_delivery=True,
    place=Place(1, 2),
    reason="rejected",
    field="email",
    type="order.success",
    key=b"m:0088123",
    origin="og.deliveries.klaviyo",
    order=Place(0, 4),
    part="event",
    status=400,
    attempts=1,
    size=700,
    written_at=NOON,
)
RECORD = replace(
    DELIVERY,
    id="0d6f6a5e-9d3b-5c51-8d52-1f6f3d1a7b11",
    of="ordergroove",
    is_delivery=False,
    reason="missing_field",
    origin=SOURCE,
    part=None,
    status=None,
    attempts=None,
)


@pytest.mark.parametrize(
    ("options", "takes"),
    [
        ({}, True),
        ({"ids": ["x", DELIVERY.id]}, True),
        ({"ids": ["x"]}, False),
        ({"reasons": ["rejected", "expired"]}, True),
        ({"reasons": ["expired"]}, False),
        ({"types": ["order.success"]}, True),
        ({"types": ["order.cancel"]}, False),
        ({"customer": "m:0088123"}, True),
        ({"customer": "m:0088"}, False),
        ({"since": "2026-10-01T15:00:00Z"}, True),
        ({"since": "2026-10-01T15:00:00.001Z"}, False),
        ({"until": "2026-10-01T17:00:00.001+02:00"}, True),
        ({"until": "2026-10-01T17:00:00+02:00"}, False),
        ({"since": "24h"}, True),
        ({"since": "30m"}, False),
        ({"until": "30m"}, True),
        ({"reasons": ["rejected"], "types": ["order.cancel"]}, False),
    ],
)
def test_what_is_meant(options: dict[str, Any], *, takes: bool) -> None:
    """Of options that may be repeated any; all options together."""
    assert takes is filter_of(now=NOON + HOUR, **options).takes(DELIVERY)


@pytest.mark.parametrize(
    ("options", "named", "fix"),
    [
        ({"since": "yesterday"}, "--since", "2026-10-01T12:00:00Z, or 24h"),
        ({"until": "2026-10-01T12:00:00"}, "--until", "2026-10-01T12:00:00Z, or 24h"),
        ({"since": "1h", "until": "2h"}, "--until", "later time"),
        ({"customer": "0088123"}, "--customer", "MERCHANT:ID"),
    ],
)
def test_options_that_mean_nothing(options: dict[str, Any], named: str, fix: str) -> None:
    """The option is named, and how to write it."""
    with pytest.raises(ConfigurationError, match=fix) as wrong:
        filter_of(now=NOON, **options)

    assert named == wrong.value.setting


def test_so_long_ago() -> None:
    """A duration is counted back from now."""
    assert NOON - 24 * HOUR == instant("24h", "--since", NOON) == instant("1d", "--since", NOON)
    assert instant(None, "--since", NOON) is None


@pytest.mark.parametrize(
    ("letter", "changes", "target", "why"),
    [
        (DELIVERY, {}, "og.deliveries.klaviyo", None),
        (DELIVERY, {"origin": "og.deliveries.klaviyo.low"}, "og.deliveries.klaviyo", None),
        (DELIVERY, {"redriven_at": NOON}, "og.deliveries.klaviyo", REDRIVEN),
        (RECORD, {}, SOURCE, None),
        (RECORD, {"origin": BRIDGE}, BRIDGE, None),
        (RECORD, {"origin": None}, None, NEVER_A_RECORD),
        (RECORD, {"reason": "wrong_key"}, SOURCE, WRONG_KEY),
        (RECORD, {"reason": "wrong_key", "origin": BRIDGE}, BRIDGE, None),
        (RECORD, {"size": LARGEST}, SOURCE, TOO_LARGE),
        (RECORD, {"size": LARGEST, "origin": BRIDGE}, BRIDGE, None),
        (RECORD, {"reason": "too_large", "origin": BRIDGE}, BRIDGE, TOO_LARGE),
    ],
)
def test_where_a_letter_goes(
    letter: Letter, changes: dict[str, Any], target: str | None, why: str | None
) -> None:
    """Back to where it came from; a delivery to the live lane; or why it cannot."""
    changed = replace(letter, **changes)

    assert (target, why) == (target_of(changed, WAYS), obstacle(changed, WAYS, again=False))


def test_what_nobody_reads_is_not_written_to() -> None:
    """A topic that is no longer the bridge is named, with the setting."""
    elsewhere = replace(RECORD, origin="old.subscriptions")

    assert target_of(elsewhere, WAYS) is None
    assert "old.subscriptions" in (obstacle(elsewhere, WAYS, again=True) or "")
    assert "`rekey.topic`" in (obstacle(elsewhere, WAYS, again=True) or "")


def test_again_and_a_mapping_change_what_can_go() -> None:
    """What is under way goes once more if asked for; a mapping may read keys otherwise now."""
    mapped = WAYS._replace(mapped=True)

    assert obstacle(replace(DELIVERY, redriven_at=NOON), WAYS, again=True) is None
    assert obstacle(replace(RECORD, reason="wrong_key"), mapped, again=False) is None


def test_counts_come_by_kind() -> None:
    """By source or connection, the most frequent first; and the oldest is named."""
    older = replace(DELIVERY, reason="expired", written_at=NOON - HOUR)
    lines = list(count_lines([RECORD, older, DELIVERY, DELIVERY]))

    assert "4 dead letters, the oldest of 2026-10-01T14:00:00Z" == lines[0]
    assert [["2", "klaviyo", "rejected"], ["1", "klaviyo", "expired"]] == [
        line.split()[:3] for line in lines[1:3]
    ]
    assert ["no dead letters"] == list(count_lines([]))


def test_a_plan_says_what_goes_where_and_what_stays() -> None:
    """Each with its number."""
    lines = list(
        plan_lines([(DELIVERY, "og.deliveries.klaviyo", None), (RECORD, SOURCE, WRONG_KEY)])
    )

    assert "would append 1 dead letter again:" == lines[0]
    assert "→ og.deliveries.klaviyo" in lines[1]
    assert "up to 1 customer may be messaged: events go as if new, however old they are" == lines[2]
    assert ["left out:", f"  1  ordergroove  {WRONG_KEY}"] == lines[3:]


def test_a_plan_says_how_many_customers_may_be_messaged() -> None:
    """Each once, however many letters they have; a profile starts no flow."""
    other = replace(DELIVERY, key=b"m:0088124")
    profile = replace(DELIVERY, key=b"m:0088125", part="profile")

    def said(*letters: Letter) -> list[str]:
        plan = plan_lines([(each, "og.deliveries.klaviyo", None) for each in letters])
        return [line.partition(" may")[0] for line in plan if "may be messaged" in line]

    assert ["up to 2 customers"] == said(DELIVERY, DELIVERY, other, profile)
    assert [] == said(profile)


def test_rows_mask_customers() -> None:
    """Unless they were asked for; a key of another form too."""
    strange = replace(RECORD, key=b"nina@shop-demo.io")
    masked = "\n".join(row_lines([DELIVERY, strange], unmasked=False))
    plain = "\n".join(row_lines([DELIVERY], unmasked=True))

    assert "m:***23" in masked
    assert "0088123" not in masked
    assert "nina" not in masked
    assert "m:0088123" in plain
    assert masked_key(None) is None
    assert "***:***io" == masked_key(b"nina@shop-demo.io:nina@shop-demo.io")
    assert "m:?[31m1" == plain_key(b"m:\x1b[31m1")


def test_letters_are_read_in_lots_that_fit_in_memory() -> None:
    """In their order; one that is too large for any lot is a lot of its own."""
    sizes = [10, 10 << 20, 20 << 20, 16 << 20, 40 << 20, 5]
    chosen = [(replace(DELIVERY, size=size), "topic") for size in sizes]
    lots = [[each.size for each, _ in lot] for lot in _lots(chosen)]

    assert [[10, 10 << 20, 20 << 20], [16 << 20], [40 << 20], [5]] == lots
    assert [] == list(_lots([]))


PERSONAL = ("nina@shop-demo.io", "+12125550147", "Sand Street 4", "Nina", 12_125_550_147, "0088123")


@given(
    st.recursive(
        st.sampled_from(PERSONAL),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["email", "customer", "name", "raw", "note", "nina@shop-demo.io"]),
                inner,
                max_size=3,
            )
        ),
    )
)
def test_nothing_personal_is_left_in_what_is_shown(body: Any) -> None:
    """Whatever the shape of what nobody could read."""
    shown = str(masked_event({"type": "gift.sent", "data": body}))

    assert "gift.sent" in shown
    assert not [each for each in PERSONAL if str(each) in shown]


def test_numbers_of_a_masked_field_are_hidden_however_small() -> None:
    """A birthday, as our records have it and as Okendo tells it; other small numbers are shown."""
    told = {"birthday_month": 2, "birthday": {"day": 29, "list": [2]}, "tries": 3, "other": 4}

    assert {
        "birthday_month": "***", "birthday": {"day": "***", "list": ["***"]}, "tries": 3,
        "other": 4,
    } == masked_event(told)  # fmt: skip


def test_bytes_are_shown_as_what_they_are() -> None:
    """A body inside an event as JSON, else as text or hex; masked only their number."""
    event = {"raw": b'{"a": 1}', "text": b"plain", "other": b"\xff\x00"}

    assert {"raw": {"a": 1}, "text": "plain", "other": "ff00"} == plain_event(event)
    assert {"raw": "*** 8 bytes"} == masked_event({"raw": event["raw"]})


def test_secrets_in_headers_are_never_shown() -> None:
    """Even where the person may be seen."""
    headers = {"Authorization": b"Bearer x", "trace": b"n7", "redrive_of": b"7"}

    assert {"Authorization": "***", "trace": "n7", "redrive_of": "7"} == shown_headers(
        headers, unmasked=True
    )
    assert {"Authorization": "***", "trace": "***", "redrive_of": "7"} == shown_headers(
        headers, unmasked=False
    )


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STREAMS_CONNECTIONS__KLAVIYO__MODE", "shadow")
    monkeypatch.setenv("STREAMS_OKENDO__STORE", "beans")
    monkeypatch.setenv("STREAMS_KAFKA__BOOTSTRAP", "127.0.0.1:1")
    monkeypatch.setenv("STREAMS_REKEY__TOPIC", BRIDGE)


def test_which_topics_are_meant() -> None:
    """All of the settings, or those that are named."""
    settings = load_settings()
    klaviyo = Box("klaviyo", "og.dead-letters.klaviyo", is_delivery=True)
    okendo = Box("okendo", "og.dead-letters.okendo", is_delivery=False)
    ways = ways_of(settings)

    assert ["ordergroove", "okendo", "klaviyo"] == [each.of for each in boxes_of(settings, (), ())]
    assert [klaviyo] == boxes_of(settings, ("klaviyo",), ())
    assert [okendo, klaviyo] == boxes_of(settings, ("klaviyo",), ("okendo",))
    assert (BRIDGE, False, SOURCE) == (ways.rekey, ways.mapped, ways.sources["ordergroove"])


@pytest.mark.parametrize("value", [b"{", b"[]", b"\xff"])
def test_a_body_that_is_no_object_has_no_type(value: bytes) -> None:
    """It is told as one that cannot be read."""
    box = Box("okendo", "og.dead-letters.okendo", is_delivery=False)
    event = readers_of(load_settings()).event

    assert {"type": "x"} == event(box, {"topic": None, "value": b'{"type": "x"}'})
    with pytest.raises(BadRecord):
        event(box, {"topic": None, "value": value})


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["list", "--connection", "klavio"], "--connection: there is no klavio. Known: klaviyo"),
        (["list", "--source", "shop"], "--source: there is no shop. Known: ordergroove, okendo"),
        (["redrive", "--since", "soon"], "--since: neither a time with its zone nor a duration"),
        (["redrive", "--execute", "--since", "soon"], "--since: neither a time"),
        (["purge", "--execute", "--customer", "nina"], "--customer: not a customer's key"),
        (["purge", "--execute"], "dead-letters purge: this would be all of them"),
        (["show", "x", "--customer", "nina"], "--customer: not a customer's key"),
    ],
)
def test_what_is_wrong_is_said_before_kafka_is_asked(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
) -> None:
    """Exit 2, with the option and the way to mend it."""
    monkeypatch.setattr(sys, "argv", ["streams", "dead-letters", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()

    assert 2 == ended.value.code
    assert said in capsys.readouterr().err
