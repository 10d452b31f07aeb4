"""Why a customer did not get an event by a connection; or that they did. Pure.

The first that holds, from the source to the vendor, is the answer: what was never concluded need
not be looked for on a topic.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import msgspec

from streams.delivery.gate import Mode
from streams.model.fact import CANCEL, CREATE, WITHHELD
from streams.model.wording import moment
from streams.timeline.words import WORDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.timeline.story import Chapter, End, Line, Story

Verdict = Literal[
    "got_it", "data_only", "no_connection", "nobody", "not_concluded", "withheld", "not_taken",
    "not_served", "unwanted", "off", "shadow", "allowlist", "percentage", "filtered", "late",
    "superseded", "duplicate", "expired", "refused", "erased", "trying", "unauthorized", "paused",
    "waiting", "not_begun", "not_derived", "read_not_told", "never_written",
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


class Signs(msgspec.Struct, frozen=True, kw_only=True):
    """What is known beside the story.

    Attributes:
        connection: that was asked about.
        event_type: likewise.
        known: whether the settings have the connection.
        takes: whether its vendor takes such events.
        serves: whether it serves the customer's merchant.
        wants: whether it wants such events.
        mode: that holds.
        paused: since when, by whom and why it rests; None: it does not.
        begun: whether anybody has ever read its topic.
        waits: how many of the customer's deliveries wait in its topic.
        written: whether a delivery record of the event is known.
        source_waits: how many of the customer's records derive has not read yet.
    """

    connection: str
    event_type: str
    known: bool = True
    takes: bool = True
    serves: bool = True
    wants: bool = True
    mode: Mode = "live"
    paused: str | None = None
    begun: bool = True
    waits: int = 0
    written: bool = True
    source_waits: int = 0


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
    found = newest_fact(story, signs.event_type)
    ends = _ends_of(story, found, signs)
    if found is None and not ends:
        return _never_concluded(story, signs)
    if found is not None and found.withheld is not None and not ends:
        return _withheld(found, found.withheld)
    evidence = [] if found is None else [_of(found)]
    if ends:
        return _by_outcome(ends, evidence)
    return _not_meant(signs, evidence) or _on_its_way(signs, evidence)


def newest_fact(story: Story, event_type: str) -> Line | None:
    """The newest fact of a type; one of the source's own only where we drew no such conclusion."""
    lines = [each for chapter in story.chapters for each in chapter.lines]
    meant = [each for each in reversed(lines) if each.type == event_type]
    return next((each for each in meant if each.withheld != _SOURCES_OWN), next(iter(meant), None))


def _withheld(found: Line, reason: str) -> Answer:
    why = WITHHELD.get(reason, reason)
    text = f"It was concluded, and told to nobody: {why}"
    if reason == _SOURCES_OWN:
        text = f"Only the source itself says so. {_NEEDS.get(found.type, '')}".strip()
    return Answer("withheld", text, [_of(found)])


def _ends_of(story: Story, found: Line | None, signs: Signs) -> list[End]:
    """What came of the event at the connection, the part that decides first."""
    told = found.ends if found is not None else story.elsewhere
    ends = [e for e in told if e.connection == signs.connection and e.type == signs.event_type]
    if found is None and ends:
        newest = max(ends, key=lambda end: end.at).event_id
        ends = [end for end in ends if end.event_id == newest]
    return sorted(ends, key=lambda end: end.part != "event")


def _never_concluded(story: Story, signs: Signs) -> Answer:
    waits = signs.source_waits
    if waits:
        what = "1 record waits" if waits == 1 else f"{waits:,} records wait"
        text = f"Nothing of the kind was concluded yet: {what} to be read by derive"
        return Answer("not_derived", text, [])
    if not story.chapters:
        text = "Nothing ever came of this customer, as far back as the topics go"
        return Answer("nobody", text, [])
    text = f"Nothing that came of this customer leads to {signs.event_type}."
    return Answer(
        "not_concluded", " ".join(filter(None, (text, _NEEDS.get(signs.event_type)))), _came(story)
    )


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


def _not_meant(signs: Signs, evidence: list[str]) -> Answer | None:
    """Nothing of it was to come to the connection."""
    if not signs.takes:
        text = f"{signs.connection}'s vendor takes no {signs.event_type}"
        return Answer("not_taken", text, evidence)
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
            "A worker has read it and says nothing of it yet: it is under way, parked because it"
            " keeps failing, or its outcome is older than what is kept"
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
