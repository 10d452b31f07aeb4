"""Why did they not get it? One test an answer, and which answer comes first."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
import pytest

from streams.timeline.absence import Answer, Verdict, why_not
from streams.timeline.keeping import Kept
from streams.timeline.signs import Signs
from streams.timeline.story import Chapter, End, Line, Story

AT = 1_790_000_000_000
CANCEL = "subscriber.cancel"


def line(type_: str = CANCEL, **told: Any) -> Line:
    """A fact that was concluded."""
    known: dict[str, Any] = {
        "event_id": "e-1", "occurred_at": AT, "because": "active 1 → 0", "late": False,
        "withheld": None, "ends": [],
    }  # fmt: skip
    return Line(type=type_, **(known | told))


def end(**told: Any) -> End:
    """What came of a part at Klaviyo."""
    return End(
        **{
            "connection": "klaviyo", "part": "event", "outcome": "delivered", "reason": None,
            "field": None, "attempts": 1, "status": 202, "latency_ms": 9, "excerpt": None,
            "at": AT, "again": False, "event_id": "e-1", "type": CANCEL,
        } | told
    )  # fmt: skip


def story(*lines: Line, problem: str | None = None, elsewhere: tuple[End, ...] = ()) -> Story:
    """One record that revealed these."""
    chapter = Chapter(
        AT, "t[0] 1", type="subscription.cancel", before="active", after="cancelled",
        lines=[*lines],
    )  # fmt: skip
    bad = [] if problem is None else [Chapter(AT, "t[0] 2", problem=problem)]
    return Story([chapter, *bad], [*elsewhere])


def asked(told: Story, **signs: Any) -> Answer:
    """The answer about `subscriber.cancel` at Klaviyo."""
    return why_not(told, Signs(connection="klaviyo", event_type=CANCEL, **signs))


CONCLUDED = story(line())
CASES: dict[Verdict, tuple[Story, dict[str, Any], str]] = {
    "no_connection": (CONCLUDED, {"known": False}, "no connection klaviyo"),
    "nobody": (Story([], []), {}, "Nothing ever came of this customer"),
    "not_concluded": (story(), {}, "the count comes to 0"),
    "not_derived": (story(), {"source_waits": 2}, "2 records wait to be read by derive"),
    "withheld": (story(line(withheld="import")), {}, "a programme migration"),
    "not_taken": (CONCLUDED, {"takes": False}, "takes no subscriber.cancel"),
    "not_served": (CONCLUDED, {"serves": False}, "does not serve this customer's merchant"),
    "off": (CONCLUDED, {"mode": "off"}, "is off"),
    "paused": (CONCLUDED, {"paused": "since noon by anna", "waits": 3}, "since noon by anna"),
    "not_begun": (CONCLUDED, {"begun": False}, "No worker has ever delivered"),
    "waiting": (CONCLUDED, {"waits": 1}, "1 delivery of this customer in the topic"),
    "read_not_told": (CONCLUDED, {}, "parked"),
    "never_written": (CONCLUDED, {"written": False}, "No delivery of it was ever written"),
    "not_kept": (CONCLUDED, {"kept": Kept(since=AT + 1)}, "it may have been sent"),
    "not_filled": (CONCLUDED, {"kept": Kept(unread=90_000)}, "No outcome of it is known here yet"),
}
"""Verdict → the story, the signs, and what the answer says."""

ENDS: dict[Verdict, tuple[dict[str, Any], str]] = {
    "got_it": ({}, "the vendor took it"),
    "data_only": ({"outcome": "delivered_no_trigger", "reason": "late"}, "starts no flow (late)"),
    "duplicate": ({"outcome": "duplicate"}, "had it already"),
    "superseded": ({"outcome": "superseded", "part": "profile"}, "newer profile"),
    "refused": ({"outcome": "rejected", "reason": "invalid", "field": "email"}, "invalid, email"),
    "expired": ({"outcome": "expired", "reason": "too_old"}, "its time was over"),
    "erased": ({"outcome": "erased"}, "was erased"),
    "trying": ({"outcome": "retrying", "status": 503}, "tried again"),
    "unauthorized": ({"outcome": "unauthorized", "status": 401}, "refuses our credentials"),
    "shadow": ({"outcome": "filtered", "reason": "shadow"}, "in shadow"),
    "allowlist": ({"outcome": "filtered", "reason": "allowlist"}, "named customers only"),
    "percentage": ({"outcome": "filtered", "reason": "percentage"}, "a share of customers"),
    "unwanted": ({"outcome": "filtered", "reason": "option"}, "leave such events out"),
    "late": ({"outcome": "filtered", "reason": "late"}, "too late to start a flow"),
    "filtered": ({"outcome": "filtered", "reason": "consent"}, "consent"),
}
"""Verdict → the outcome, and what the answer says."""


@pytest.mark.parametrize("verdict", CASES)
def test_what_never_came_to_an_outcome_says_where_it_ended(verdict: Verdict) -> None:
    """From the source to the topic."""
    told, signs, words = CASES[verdict]
    found = asked(told, **signs)

    assert verdict == found.verdict
    assert words in found.text


@pytest.mark.parametrize("verdict", ENDS)
def test_an_outcome_is_told_in_plain_words_with_its_evidence(verdict: Verdict) -> None:
    """What was concluded, and each part's outcome with its answer."""
    outcome, words = ENDS[verdict]
    found = asked(story(line(ends=[end(**outcome)])))

    assert verdict == found.verdict
    assert words in found.text
    assert 2 == len(found.evidence)
    assert "active 1 → 0" in found.evidence[0]


def test_every_answer_has_a_case() -> None:
    """A new one needs a test of its own."""
    assert set(get_args(Verdict)) == {*CASES, *ENDS}


def test_the_part_of_the_event_decides() -> None:
    """A profile that was sent is no event that was."""
    ends = [end(part="profile"), end(outcome="rejected", reason="invalid")]

    assert "refused" == asked(story(line(ends=ends))).verdict


def test_a_replay_under_new_ids_is_what_counts() -> None:
    """Refused first, and taken then: the same event's deliveries, of which one came through."""
    refused = end(outcome="rejected", reason="invalid", at=AT)
    again = end(at=AT + 1, again=True)
    late = end(outcome="delivered_no_trigger", at=AT + 1, again=True)

    assert "got_it" == asked(story(line(ends=[refused, again]))).verdict
    assert "data_only" == asked(story(line(ends=[refused, late]))).verdict
    refused_later = msgspec.structs.replace(refused, at=AT + 2)
    assert "got_it" == asked(story(line(ends=[again, refused_later]))).verdict
    assert "refused" == asked(story(line(ends=[late, refused_later]))).verdict


@pytest.mark.parametrize("signs", [{}, {"mode": "off"}, {"paused": "since noon"}, {"waits": 2}])
def test_what_derive_has_not_read_was_never_written_yet(signs: dict[str, Any]) -> None:
    """The console concludes it of the record by itself, while derive lags or is down."""
    lags: dict[str, Any] = {"written": False, "derived": False, "source_waits": 5}
    found = asked(CONCLUDED, **lags, **signs)

    assert "not_derived" == found.verdict
    assert "by derive not yet: 5 records wait" in found.text
    assert 1 == len(found.evidence)
    read = asked(CONCLUDED, written=False, source_waits=5)
    assert "never_written" == read.verdict  # what waits came later


@pytest.mark.parametrize("signs", [{"mode": "off"}, {"wants": False}, {"written": False}])
def test_what_is_older_than_what_is_kept_is_not_told_as_not_sent(signs: dict[str, Any]) -> None:
    """The settings of now say nothing of then; an outcome that is there still counts."""
    kept = Kept(since=AT + 1)

    assert "not_kept" == asked(CONCLUDED, kept=kept, **signs).verdict
    assert "got_it" == asked(story(line(ends=[end()])), kept=kept, **signs).verdict
    assert "not_taken" == asked(CONCLUDED, kept=kept, takes=False).verdict
    assert "not_kept" != asked(CONCLUDED, kept=Kept(since=AT), **signs).verdict


def test_while_the_index_is_filled_nothing_is_said_for_good() -> None:
    """What is known is told, with how much is still to be read."""
    kept = Kept(unread=90_000)
    refused = asked(story(line(ends=[end(outcome="rejected", reason="invalid")])), kept=kept)

    assert "not_filled" == asked(story(), kept=kept).verdict
    assert "refused" == refused.verdict
    assert "90,000 records are still to be read here" == refused.evidence[-1]


def test_another_connections_outcome_says_nothing() -> None:
    """Ometria's is not Klaviyo's."""
    ends = [end(connection="ometria")]

    assert "waiting" == asked(story(line(ends=ends)), waits=1).verdict


def test_an_outcome_of_an_event_whose_record_is_gone_still_counts() -> None:
    """The source topic keeps records for a time; outcomes are told without them."""
    assert "got_it" == asked(story(elsewhere=(end(),))).verdict


def test_an_option_of_today_is_told_where_no_outcome_is() -> None:
    """The settings leave such events out."""
    assert "unwanted" == asked(CONCLUDED, wants=False).verdict


def test_the_newest_fact_of_the_type_is_meant() -> None:
    """An older one that was told does not answer for the newer one that was not."""
    told = story(line(ends=[end()]), line(event_id="e-2", withheld="state"))

    assert "withheld" == asked(told).verdict


def test_what_was_not_concluded_shows_what_came_instead() -> None:
    """The changes of how the customer stood, and the records that could not be read."""
    found = asked(story(problem="malformed"))

    assert "active → cancelled" in found.evidence[0]
    assert "could not be read (malformed)" in found.evidence[1]


def test_the_sources_own_conclusion_does_not_stand_for_ours() -> None:
    """It comes after ours, and is told to nobody; where we drew none, that is the answer."""
    own = line(event_id="e-2", withheld="derived_mode", because=None)

    assert "got_it" == asked(story(line(ends=[end()]), own)).verdict
    alone = asked(story(own))
    assert "withheld" == alone.verdict
    assert "Only the source itself says so" in alone.text
    assert "the count comes to 0" in alone.text
