"""The demo's summary for people: the vendors side by side, and whether all of it is exact."""

from __future__ import annotations

from io import StringIO

import msgspec
import pytest
from rich.console import Console

from streams.demo.showing import show
from streams.demo.summary import Source, Summary, Through

KLAVIYO = Through(
    ok=True,
    derived={"subscription.reactivate": 3},
    deliveries=1_200,
    outcomes={"event delivered": 1_199, "event rejected: no_identifier": 1},
    dead_letters={"rejected": 1},
    requests=1_199,
    accepted=1_199,
    expected=1_199,
    repeats=0,
    differences=[],
)
ATTENTIVE = msgspec.structs.replace(
    KLAVIYO, derived={}, outcomes={"event filtered: late": 12}, dead_letters={}, accepted=1_190
)
OMETRIA = msgspec.structs.replace(KLAVIYO, derived={}, requests=131, accepted=596, expected=596)
SUMMARY = Summary(
    ok=True,
    seed=7,
    bodies=2_012,
    records=1_990,
    derived={},
    deliveries=2_400,
    outcomes={},
    dead_letters={"rejected": 1, "malformed": 5},
    source_dead_letters={"malformed": 5},
    sources={
        "ordergroove": Source(1_762, 1_745, {"malformed": 5}),
        "okendo": Source(250, 245, {}),
    },
    checkouts={"told": 130, "of_several": 44, "again": 2, "last": 31},
    requests=2_398,
    accepted=2_389,
    expected=2_398,
    repeats=0,
    seconds=4.0,
    events_per_second=503.0,
    limits_factor=100,
    connections={"klaviyo": KLAVIYO, "attentive": ATTENTIVE, "ometria": OMETRIA, "yespo": OMETRIA},
    differences=[],
)


def printed(summary: Summary, width: int = 120) -> list[list[str]]:
    """The words of each line."""
    out = StringIO()
    show(summary, Console(file=out, width=width))
    return [line.split() for line in out.getvalue().splitlines()]


@pytest.mark.parametrize(
    "line",
    [
        "A day of the shop (seed 7)",
        "ordergroove: webhooks in 1,762, on its topic 1,745",
        "dead letters: malformed 5",
        "okendo: webhooks in 250, on its topic 245",
        "dead letters: none",
        "checkouts: 130, of several subscriptions 44, told again 2, after the last webhook 31",
        "klaviyo attentive ometria yespo",
        "events on the delivery topic 1,200 1,200 1,200 1,200",
        "subscription.reactivate 3 0 0 0",
        "event delivered 1,199 0 1,199 1,199",
        "event filtered: late 0 12 0 0",
        "dead letter rejected 1 0 1 1",
        "calls to the simulator 1,199 1,199 131 131",
        "records that it took 1,199 1,190 596 596",
        "records that the books expect 1,199 1,199 596 596",
        "rate, webhook to vendors: 503 webhooks/s over 4.0 s (vendors' limits times 100)",
        "exact: every record and outcome is the one that the books expect",
    ],
)
def test_a_line_is_printed(line: str) -> None:
    """Counts of each vendor in its column, those of the sources and the checkouts above."""
    assert line.split() in printed(SUMMARY)


def test_four_vendors_fit_on_a_narrow_screen() -> None:
    """80 columns, with the longest event type and large numbers: no line is broken."""
    long = "order.credit_card_expiration_warning"
    full = msgspec.structs.replace(KLAVIYO, derived={long: 123_456}, accepted=123_456)
    four = dict.fromkeys(SUMMARY.connections, full)
    wide = msgspec.structs.replace(SUMMARY, connections=four)

    assert [long, *["123,456"] * 4] in printed(wide, width=80)


def test_differences_are_printed_as_they_are() -> None:
    """One a line; what looks like markup is part of it."""
    wrong = msgspec.structs.replace(SUMMARY, ok=False, differences=["klaviyo: $.items[0] [red]"])

    assert [["not", "exact:"], ["klaviyo:", "$.items[0]", "[red]"]] == printed(wrong)[-2:]
