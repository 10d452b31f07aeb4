"""Why a customer did not get an event by a connection; or that they did. Pure.

The first that holds, from the source to the vendor, is the answer: what was never concluded need
not be looked for on a topic.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from streams.model.fact import CANCEL, CREATE, WITHHELD
from streams.model.wording import moment
from streams.timeline.keeping import unread
from streams.timeline.words import WORDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.timeline.signs import Signs
    from streams.timeline.story import Chapter, End, Line, Story

Verdict = Literal[
    "got_it", "data_only", "no_connection", "nobody", "not_concluded", "withheld", "not_taken",
    "not_served", "unwanted", "off", "shadow", "allowlist", "percentage", "filtered", "late",
    "superseded", "duplicate", "expired", "refused", "erased", "trying", "unauthorized", "paused",
    "waiting", "not_begun", "not_derived", "read_not_told", "never_written", "not_kept",
    "not_filled",
]  # fmt: skip
"""One word for it, for programs and tests."""


class Answer(NamedTuple):
    """The answer.

    Attributes:
        verdict: one word for it.
        text: in plain words.
        evidence: what it is concluded from, a line each.
    """

    verdict: Verdict
    text: str
    evidence: list[str]


class Concluded(NamedTuple):
    """A fact, and the chapter that it stands in."""

    line: Line
    chapter: Chapter


_TAKEN: Final = "delivered"
_SOURCES_OWN: Final = "derived_mode"
"""Why the source's own conclusion is told to nobody: ours is, where we draw the same."""
_NEEDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        CREATE: "It is concluded once in a lifetime, at the first evidence of a live subscription.",
        CANCEL: "It is concluded when the last live subscription ends (the count comes to 0).",
    }
)
"""What has to happen before an event type is concluded."""

_KEPT: Final[Mapping[str, tuple[Verdict, str]]] = MappingProxyType(
    {
        "shadow": ("shadow", "the connection was in shadow: it recorded, and sent nothing"),
        "allowlist": ("allowlist", "the connection served named customers only, not this one"),
        "percentage": ("percentage", "the connection served a share of customers, not this one"),
        "option": ("unwanted", "the settings leave such events out"),
        "late": ("late", "it came too late to start a flow, and is told as data or not at all"),
    }
)
"""Reasons of `filtered` that have words of their own."""

_ENDS: Final[Mapping[str, tuple[Verdict, str]]] = MappingProxyType(
    {
        "delivered": ("got_it", "They did: the vendor took it"),
        "delivered_no_trigger": ("data_only", "The vendor took it as data: it starts no flow"),
        "duplicate": ("duplicate", "It was not sent again: the vendor had it already"),
        "superseded": ("superseded", "A newer profile had been sent already"),
        "rejected": ("refused", "It was refused, and is a dead letter"),
        "expired": ("expired", "It was given up on: its time was over when its turn came"),
        "erased": ("erased", "The customer was erased"),
        "retrying": ("trying", "The vendor has not taken it yet; it is tried again"),
        "unauthorized": ("unauthorized", "The vendor refuses our credentials; it waits"),
    }
)


def why_not(story: Story, signs: Signs) -> Answer:
    """The answer for the newest event of the type, of the part `event` where there is one."""
    if not signs.known:
        text = f"There is no connection {signs.connection} in the settings"
        return Answer("no_connection", text, [])
    answer = _answer(story, signs)
    if not signs.kept.unread:
        return answer
    return answer._replace(evidence=[*answer.evidence, unread(signs.kept)])


def _answer(story: Story, signs: Signs) -> Answer:
    newest = newest_fact(story, signs.event_type)
    found = None if newest is None else newest.line
    ends = _ends_of(story, found, signs)
    if ends:
        return _by_outcome(ends, [] if found is None else [_of(found)])
    if newest is None or found is None:
        return _never_concluded(story, signs)
    if found.withheld is not None:
        return _withheld(found, found.withheld)
    evidence = [_of(found)]
    return (
        _not_known(newest.chapter.at, signs, evidence)
        or _not_meant(signs, evidence)
        or _on_its_way(signs, evidence)
    )


def newest_fact(story: Story, event_type: str) -> Concluded | None:
    """The newest fact of a type; one of the source's own only where we drew no such conclusion."""
    facts = [Concluded(line, chapter) for chapter in story.chapters for line in chapter.lines]
    meant = [each for each in reversed(facts) if each.line.type == event_type]
    ours = (each for each in meant if each.line.withheld != _SOURCES_OWN)
    return next(ours, next(iter(meant), None))


def _withheld(found: Line, reason: str) -> Answer:
    why = WITHHELD.get(reason, reason)
    text = f"It was concluded, and told to nobody: {why}"
    if reason == _SOURCES_OWN:
        text = f"Only the source itself says so. {_NEEDS.get(found.type, '')}".strip()
    return Answer("withheld", text, [_of(found)])


def _ends_of(story: Story, found: Line | None, signs: Signs) -> list[End]:
    """What came of the event at the connection; what decides is first.

    A replay under new ids is one more delivery of the event: one that was taken decides, or else
    the newest.
    """
    told = found.ends if found is not None else story.elsewhere
    ends = [e for e in told if e.connection == signs.connection and e.type == signs.event_type]
    if found is None and ends:
        newest = max(ends, key=lambda end: end.at).event_id
        ends = [end for end in ends if end.event_id == newest]
    return sorted(ends, key=lambda end: (end.part != "event", end.outcome != _TAKEN, -end.at))


def _never_concluded(story: Story, signs: Signs) -> Answer:
    if signs.kept.unread:
        return Answer("not_filled", "Nothing of the kind is known here yet", [])
    if signs.source_waits:
        text = f"Nothing of the kind was concluded yet: {_source_waits(signs)}"
        return Answer("not_derived", text, [])
    if not story.chapters:
        text = "Nothing ever came of this customer, as far back as the topics go"
        return Answer("nobody", text, [])
    text = f"Nothing that came of this customer leads to {signs.event_type}."
    return Answer(
        "not_concluded", " ".join(filter(None, (text, _NEEDS.get(signs.event_type)))), _came(story)
    )


def _source_waits(signs: Signs) -> str:
    waits = signs.source_waits
    what = "1 record waits" if waits == 1 else f"{waits:,} records wait"
    return f"{what} to be read by derive"


def _came(story: Story) -> list[str]:
    """What came instead, the newest last; and what could not be read."""
    evidence = [
        f"{moment(each.at)}: {each.type}, {each.before or 'unknown'} → {each.after or 'unknown'}"
        for each in story.chapters
        if each.type is not None and each.before != each.after
    ][-5:]
    bad = [each for each in story.chapters if each.problem is not None]
    return [*evidence, *(_unreadable(each) for each in bad[-3:])]


def _unreadable(chapter: Chapter) -> str:
    return f"{moment(chapter.at)}: a record that could not be read ({chapter.problem})"


def _by_outcome(ends: list[End], evidence: list[str]) -> Answer:
    deciding = ends[0]
    evidence = [*evidence, *map(_end, ends)]
    if deciding.outcome == "filtered":
        verdict, why = _KEPT.get(deciding.reason or "", ("filtered", deciding.reason or "filtered"))
        return Answer(verdict, f"It was not sent: {why}", evidence)
    verdict, text = _ENDS.get(deciding.outcome, ("filtered", deciding.outcome))
    more = ", ".join(filter(None, (deciding.reason, deciding.field)))
    return Answer(verdict, f"{text} ({more})" if more else text, evidence)


def _not_known(at: int, signs: Signs, evidence: list[str]) -> Answer | None:
    """It never comes, or not yet, or nobody knows here: by what the settings of now do not say."""
    if not signs.takes:
        text = f"{signs.connection}'s vendor takes no {signs.event_type}"
        return Answer("not_taken", text, evidence)
    if not (signs.derived or signs.written):
        text = f"It is concluded here already, and by derive not yet: {_source_waits(signs)}"
        return Answer("not_derived", text, evidence)
    kept = signs.kept
    if not kept.had(at):
        text = (
            f"It came before {moment(kept.since)}, and what became of deliveries then is not kept"
            " here: it may have been sent. `streams timeline` reads the outcomes that the topic has"
        )
        return Answer("not_kept", text, evidence)
    if kept.unread:
        return Answer("not_filled", "No outcome of it is known here yet", evidence)
    return None


def _not_meant(signs: Signs, evidence: list[str]) -> Answer | None:
    """Nothing of it was to come to the connection."""
    if not signs.serves:
        text = f"{signs.connection} does not serve this customer's merchant"
        return Answer("not_served", text, evidence)
    if not signs.wants:
        text = f"The settings of {signs.connection} leave {signs.event_type} out"
        return Answer("unwanted", text, evidence)
    return None


def _on_its_way(signs: Signs, evidence: list[str]) -> Answer:
    """It was to come, and no outcome says that it did."""
    name = signs.connection
    if signs.mode == "off":
        return Answer("off", f"{name} is off: nobody reads its topic", evidence)
    if signs.paused is not None:
        waits = f"{signs.waits:,} of this customer wait" if signs.waits else "what comes waits"
        return Answer("paused", f"{name} is paused ({signs.paused}): {waits}", evidence)
    if not signs.begun:
        return Answer("not_begun", f"No worker has ever delivered for {name}: start one", evidence)
    if signs.waits:
        what = "delivery" if signs.waits == 1 else "deliveries"
        text = f"It waits its turn: {signs.waits:,} {what} of this customer in the topic"
        return Answer("waiting", text, evidence)
    if signs.written:
        text = (
            "A worker has read it and says nothing of it yet: it is under way, or parked because it"
            " keeps failing"
        )
        return Answer("read_not_told", text, evidence)
    text = (
        f"No delivery of it was ever written for {name}, or it is older than the topic keeps: the"
        " connection was set up later, or derive has other rules today than it had then"
    )
    return Answer("never_written", text, evidence)


def _of(line: Line) -> str:
    because = f": {line.because}" if line.because else ""
    return f"{moment(line.occurred_at)}: {line.type}{because}"


def _end(end: End) -> str:
    what = WORDS.get(end.outcome, end.outcome)
    why = ", ".join(filter(None, (end.reason, end.field)))
    tries = "" if not end.attempts else f"; attempts: {end.attempts}"
    answer = "" if end.status is None else f", HTTP {end.status}"
    told = f" ({why})" if why else ""
    return f"{moment(end.at)}: {end.connection}, {end.part}: {what}{told}{tries}{answer}"
