"""The certificate of an erase: what remains until when, and what is not done yet."""

from __future__ import annotations

import pytest

from streams.names import DAY, Names
from streams.replay.certificate import Asked, Erasure, Row, certificate, certificate_lines, until
from streams.replay.remaining import remaining

AT = 1_790_866_800_000
HASH = "0d6f6a5e9d3b5c518d521f6f3d1a7b10"
SEGMENT = {"segment.ms": str(7 * DAY), "max.compaction.lag.ms": "9223372036854775807"}


def erasure(*asked: Asked, erased: bool = True, letters: int = 0) -> Erasure:
    """An erase that is done but for what is said."""
    topics = Names("og").topics(["klaviyo"], ("ordergroove", "okendo"), "og.raw")
    return Erasure(
        run="7d1c0f5e",
        erased_at=AT,
        rows=[Row(HASH, "og.subscribers.changelog", erased)],
        asked=asked,
        letters={"og.dead-letters.klaviyo": letters},
        kept=remaining({each.name: SEGMENT | each.config for each in topics}),
        others=["og.subscribers.changelog.1"],
    )


@pytest.mark.parametrize(
    ("config", "day"),
    [
        ({"cleanup.policy": "delete", "retention.ms": str(14 * DAY)}, "2026-10-22"),
        ({"cleanup.policy": "delete", "retention.ms": "-1"}, None),
        ({"cleanup.policy": "compact"}, None),
        ({"cleanup.policy": "compact", "max.compaction.lag.ms": str(DAY)}, "2026-10-03"),
        ({"cleanup.policy": "compact,delete", "retention.ms": str(90 * DAY)}, "2027-01-06"),
        ({}, None),
    ],
)
def test_until_is_what_the_topic_promises(config: dict[str, str], day: str | None) -> None:
    """With the segment that is still open; without a promise there is no date."""
    assert day == until(SEGMENT | config, AT)


def test_every_topic_says_what_it_holds_and_why() -> None:
    """Those of the sources are told how to be rid of it."""
    told = {each["topic"]: each for each in certificate(erasure())["remains"]}

    assert told.keys() == {
        each.name for each in Names("og").topics(["klaviyo"], ("ordergroove", "okendo"), "og.raw")
    }
    for topic in ("og.ordergroove.events", "og.okendo.events", "og.raw"):
        assert "streams topics rewrite" in told[topic]["why"]
    for topic in ("og.ordergroove.events", "og.outcomes", "og.deliveries.klaviyo.low"):
        assert told[topic]["until"] is not None
    assert "2027-11-12" == told["og.ordergroove.events"]["until"]
    assert told["og.members.changelog"]["what"].startswith("former versions of the row")
    assert ["og.subscribers.changelog.1"] == certificate(erasure())["not_looked_into"]


DISCARD = "streams rebuild --discard 1"
FORMER = Row(HASH, "og.subscribers.changelog.1", erased=False, discard=DISCARD)


def test_a_topic_that_rekey_reads_is_none_that_can_be_copied() -> None:
    """Whatever it is called; it holds the events of before until its own retention."""
    [kept] = remaining({"og0.ordergroove.events": SEGMENT}, "og0.ordergroove.events")

    assert "topics rewrite" not in kept.why
    assert ("the events of before, as they were written there", SEGMENT) == kept[1:4:2]


def test_a_table_with_a_row_of_before_promises_no_day() -> None:
    """Only that its row goes with it."""
    config = {"cleanup.policy": "compact", "max.compaction.lag.ms": str(DAY)}
    tables = dict.fromkeys(("og.members.changelog", "og.members.changelog.1"), config)
    live, former = remaining(tables, None, {"og.members.changelog.1": DISCARD})

    assert ("the whole row", None) == (former.what, until(former.config, AT))
    assert f"until `{DISCARD}`" == former.why
    assert ("2026-10-03", True) == (until(live.config, AT), live.what.startswith("former versions"))


VENDOR = Asked("klaviyo", HASH, "data privacy deletion job", "it runs later")


@pytest.mark.parametrize(
    ("state", "done", "line"),
    [
        (erasure(VENDOR._replace(outcome="erased")), True, "klaviyo: erased (data privacy"),
        (erasure(VENDOR), False, "klaviyo: not yet"),
        (erasure(erased=False), False, "not yet: derive has not read the erase"),
        (erasure(letters=2), False, "2 stand: run the erase again"),
        (
            erasure(VENDOR._replace(outcome="filtered", reason="no_deletion", call=None)),
            True,
            "filtered: no_deletion (the vendor offers no deletion: ask it yourself)",
        ),
        (
            erasure(VENDOR._replace(outcome="erased", reason="request_8412", processed=False)),
            True,
            "; the vendor is at it)",
        ),
        (
            erasure(VENDOR._replace(outcome="rejected", reason="400")),
            False,
            "klaviyo: rejected: 400 (no data privacy deletion job: redrive its dead letter",
        ),
        (erasure(VENDOR._replace(outcome="expired")), False, "klaviyo: expired (no data privacy"),
        (
            erasure()._replace(rows=[Row(HASH, "og.subscribers.changelog", erased=True), FORMER]),
            False,
            "og.subscribers.changelog.1: the whole row, until `streams rebuild",
        ),
    ],
)
def test_it_says_what_is_not_done(state: Erasure, done: bool, line: str) -> None:
    """And how to look again."""
    lines = "\n".join(certificate_lines(state))

    assert done == certificate(state)["complete"]
    assert line in lines
    assert lines.endswith("complete" if done else "not complete: streams erase --status 7d1c0f5e")


@pytest.mark.parametrize(
    ("state", "rests"),
    [
        (erasure(), True),
        (erasure()._replace(rows=[FORMER]), True),
        (erasure(erased=False), False),
        (erasure(VENDOR)._replace(rows=[FORMER]), False),
    ],
)
def test_waiting_ends_where_only_a_command_is_left(state: Erasure, rests: bool) -> None:
    """A table that is to be discarded does not go by itself."""
    assert rests == state.rests


@pytest.mark.parametrize(
    ("indexed", "complete", "said"),
    [
        (None, True, "none here"),
        (False, True, "erased, from the files' bytes too"),
        (True, False, "not yet: a console that runs does it at once"),
    ],
)
def test_what_becomes_of_the_consoles_index(
    indexed: bool | None, complete: bool, said: str
) -> None:
    """Where it still holds them, the erase is not complete."""
    told = erasure()._replace(indexed=indexed)

    assert (complete, True) == (told.done, certificate(told)["console_index"].startswith(said))
    assert [True] == [said in each for each in certificate_lines(told) if "index " in each]
