"""A customer's story: records with what they revealed, and what became of each delivery."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from streams.cli.timeline.lines import story_lines
from streams.derive import DeriveOptions
from streams.model.delivery import Outcome
from streams.model.ids import customer_key, fact_id
from streams.model.wording import moment
from streams.pipeline import Pipeline
from streams.sources.ordergroove import record_of
from streams.timeline.keeping import Kept
from streams.timeline.story import Came, Story, ends_of, told
from streams.timeline.words import WORDS
from tests.support.driver import ENRICHED, ROUTES, SOURCE
from tests.support.webhooks import CUSTOMER, MERCHANT, START, subscription, webhook

if TYPE_CHECKING:
    from collections.abc import Sequence

KEY = customer_key(MERCHANT, CUSTOMER)
CREATE = fact_id("subscriber.create", MERCHANT, CUSTOMER)
LATER = START * 1_000 + 3_600_000


def came(body: bytes, at: int = START, offset: int = 7) -> Came:
    """A record of the topic."""
    value = SOURCE.encode(record_of(body, at * 1_000))
    return Came(f"og.ordergroove.events[3] {offset}", at * 1_000, at * 1_000, 0, KEY, value)


def bought(at: int = START) -> Came:
    """A first subscription."""
    return came(webhook("subscription.create", subscription("oats", at), at), at)


def ended(at: int = START + 60) -> Came:
    """Its end."""
    return came(webhook("subscription.cancel", subscription("oats", at, live=False), at), at)


def outcome(type_: str, event_id: str, **told: Any) -> dict[str, Any]:
    """An outcome of Klaviyo's."""
    return {
        "delivery_id": f"d-{event_id}", "part": "event", "connection": "klaviyo", "type": type_,
        "event_id": event_id, "outcome": "delivered", "reason": None, "field": None, "attempts": 1,
        "status": 202, "latency_ms": 9, "excerpt": None, "recorded_at": LATER, "topic": "live",
    } | told  # fmt: skip


def story(
    records: Sequence[Came], *outcomes: dict[str, Any], now: int = LATER, **options: Any
) -> Story:
    """The story of records and outcomes."""
    chosen = DeriveOptions(**({"history": "complete"} | options))
    pipeline = Pipeline(SOURCE, ENRICHED, ROUTES, chosen)
    ends = ends_of(outcomes, "low".__eq__)
    chapters = told(records, lambda _: pipeline, ends, now)
    return Story(chapters, [end for some in ends.values() for end in some])


def test_a_fact_stands_with_what_revealed_it_and_what_became_of_it() -> None:
    """How the customer stood before and after, why it was concluded, and how it ended."""
    found = story([bought()], outcome("subscriber.create", CREATE))
    [chapter, checkout] = found.chapters
    [create] = [line for line in chapter.lines if line.type == "subscriber.create"]

    assert (None, "active, 1 active of 1") == (chapter.before, chapter.after)
    assert "first subscription ever: active 0 → 1 by subscription.create" == create.because
    assert ["delivered"] == [end.outcome for end in create.ends]
    assert (None, ["subscriber.subscriptions_created"]) == (
        checkout.type,
        [line.type for line in checkout.lines],
    )
    assert [] == found.elsewhere


def test_of_several_outcomes_the_newest_counts() -> None:
    """A retry that came to something, and a redrive by the low lane."""
    tried = outcome("subscriber.create", CREATE, outcome="retrying", status=503)
    again = outcome("subscriber.create", CREATE, topic="low", attempts=2)
    [chapter, _] = story([bought()], tried, again).chapters
    [end] = next(line.ends for line in chapter.lines if line.type == "subscriber.create")

    assert ("delivered", 2, True) == (end.outcome, end.attempts, end.again)


def test_a_delivery_under_new_ids_stands_behind_the_first() -> None:
    """Two deliveries of one event, by time, whatever their order on the topic."""
    again = outcome("subscriber.create", CREATE, delivery_id="a", recorded_at=LATER + 1)
    refused = outcome("subscriber.create", CREATE, delivery_id="b", outcome="rejected")
    [chapter, _] = story([bought()], again, refused).chapters

    ends = next(line.ends for line in chapter.lines if line.type == "subscriber.create")
    assert ["rejected", "delivered"] == [end.outcome for end in ends]


def test_what_is_older_than_the_outcomes_is_not_told_as_not_sent() -> None:
    """Records are kept longer than outcomes: of what was sent then nobody knows."""
    at = START * 1_000
    found, told = story([bought()]), story([bought()], outcome("subscriber.create", CREATE))
    gone = f"what became of it before {moment(at + 1)} is not kept here"

    def lines(some: Story, **kept: int) -> str:
        return "\n".join(story_lines("m:c", some, frozenset({"subscriber.create"}), Kept(**kept)))

    assert "no outcome: nobody takes it, or it waits" in lines(found, since=at)
    assert gone in lines(found, since=at + 1)
    assert "no outcome" not in lines(found, since=at + 1)
    assert lines(found, since=at + 1).count(gone) == lines(told, since=at + 1).count(gone)
    assert "klaviyo, event: sent" in lines(told, since=at + 1)
    assert "no outcome yet: 2 records are still to be read here" in lines(found, unread=2)


def test_what_was_withheld_says_why() -> None:
    """The question that nobody else answers: why did they not get it?"""
    text = "\n".join(story_lines("m:c", story([bought(), ended()], history="live")))

    assert "subscriber.cancel: last subscription ended: active 1 → 0" in text
    assert "(told to nobody: last live subscription seen ended, but there may be others)" in text


def test_what_waits_is_not_decided_before_its_time() -> None:
    """A cancel that settles is no chapter yet."""
    hour = 3_600_000
    records = [bought(), ended()]
    early = story(records, cancel_settle=hour, now=(START + 61) * 1_000)
    late = story(records, cancel_settle=hour, now=(START + 61) * 1_000 + hour)

    def cancels(found: Story) -> int:
        return sum(line.type == "subscriber.cancel" for c in found.chapters for line in c.lines)

    assert (0, 1) == (cancels(early), cancels(late))


def test_repetitions_and_what_cannot_be_read_are_told_as_such() -> None:
    """Nothing came of them, and that is said."""
    broken = Came(
        "og.ordergroove.events[3] 9", LATER, LATER, 0, KEY, b"\x00\x00\x00\x00\x01no record"
    )
    found = story([bought(), bought(), broken])
    text = "\n".join(story_lines("m:c", found))

    assert [False, True] == [each.repeated for each in found.chapters if each.type]
    assert "known already: nothing comes of it" in text
    assert "a record that could not be read: malformed" in text


def test_ends_without_a_record_are_told_at_the_end() -> None:
    """The source topic may have let go of what a vendor was sent."""
    gone = outcome("order.success", "e-old", outcome="rejected", reason="no_identifier")
    text = "\n".join(story_lines("m:c", story([], gone)))

    assert "of events that the source topic has no more" in text
    assert "order.success: klaviyo, event: refused (no_identifier); 1 attempt, HTTP 202" in text


def test_every_outcome_has_words() -> None:
    """A new one is put into words."""
    assert {each.value for each in Outcome} == set(WORDS)


def test_only_some_types_and_what_led_to_them() -> None:
    """The rest is left out."""
    found = story([bought(), ended()])
    text = "\n".join(story_lines("m:c", found, frozenset({"subscriber.cancel"})))

    assert "subscription.cancel" in text
    assert "subscription.create" not in text


def test_rows_before_and_after_are_there_when_they_are_asked_for() -> None:
    """A chapter's row after it is the next one's before it; without being asked there are none."""
    pipeline = Pipeline(SOURCE, ENRICHED, ROUTES, DeriveOptions(history="complete"))
    chapters = told([bought(), ended()], lambda _: pipeline, {}, LATER, rows=True)
    rows = [(each.row_before, each.row_after) for each in chapters]

    assert rows[0][0] is None
    assert all(after == following for (_, after), (following, _) in pairwise(rows))
    assert [1, 0] == [rows[0][1].active, rows[-1][1].active]  # type: ignore[union-attr]
    assert all(each.row_after is None for each in story([bought()]).chapters)
