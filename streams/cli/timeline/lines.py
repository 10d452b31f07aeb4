"""A customer's story in lines for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from streams.model.fact import WITHHELD
from streams.model.wording import moment
from streams.timeline.keeping import Kept, gone, nothing_known
from streams.timeline.words import WORDS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

    from streams.timeline.story import Chapter, End, Line, Story

_APART_MS: Final = 60_000
"""What happened longer before it was recorded says when."""


_ALL: Final = Kept()


def story_lines(
    key: str, story: Story, types: AbstractSet[str] = frozenset(), kept: Kept = _ALL
) -> Iterator[str]:
    """The lines of a story.

    Args:
        key: of the customer.
        story: theirs.
        types: only chapters with one of these, or that led to one.
        kept: how much of what became of deliveries was there to be read.
    """
    yield key
    for chapter in story.chapters:
        shown = {chapter.type} | {line.type for line in chapter.lines}
        if not types or not types.isdisjoint({each for each in shown if each}):
            yield from _chapter(chapter, kept)
    elsewhere = [each for each in story.elsewhere if not types or each.type in types]
    if elsewhere:
        yield "of events that the source topic has no more, or that today's rules do not conclude"
        for end in elsewhere:
            yield f"    {moment(end.at)}  {end.type}: {_end(end)}"


def _chapter(chapter: Chapter, kept: Kept) -> Iterator[str]:
    yield f"{moment(chapter.at)}  {_title(chapter)}"
    if chapter.before != chapter.after:
        yield f"    {chapter.before or 'unknown'} → {chapter.after or 'unknown'}"
    for line in chapter.lines:
        yield f"    {_fact(line)}"
        for end in line.ends:
            yield f"        {_end(end)}"
        if line.withheld is not None:
            continue
        if not line.ends:
            yield f"        {nothing_known(chapter.at, kept)}"
        elif not kept.had(chapter.at):
            yield f"        {gone(kept)}"


def _title(chapter: Chapter) -> str:
    place = f"  ({chapter.place})" if chapter.place else ""
    if chapter.problem is not None:
        return f"a record that could not be read: {chapter.problem}; it is a dead letter{place}"
    if chapter.type is None:
        return "nothing new" if chapter.repeated else f"what waited was decided{place}"
    kind = "" if chapter.kind == "event" else f" ({chapter.kind})"
    again = ", known already: nothing comes of it" if chapter.repeated else ""
    created = chapter.created
    apart = created is not None and abs(chapter.at - created) > _APART_MS
    of = f" of {moment(created)}" if apart and created is not None else ""
    return f"{chapter.type}{of}{kind}{again}{place}"


def _fact(line: Line) -> str:
    text = line.type
    if line.because:
        text += f": {line.because}"
    if line.late:
        text += " (late: data only)"
    if line.withheld is not None:
        text += f" (told to nobody: {WITHHELD.get(line.withheld, line.withheld)})"
    return text


def _end(end: End) -> str:
    what = WORDS.get(end.outcome, end.outcome)
    if end.reason and end.outcome not in {"duplicate", "superseded"}:
        what += f" ({end.reason})"
    if end.field:
        what += f", {end.field}"
    parts = [f"{end.connection}, {end.part}: {what}"]
    if end.attempts:
        answer = f", HTTP {end.status}" if end.status is not None else ""
        tries = "1 attempt" if end.attempts == 1 else f"{end.attempts} attempts"
        parts.append(f"{tries}{answer}, {moment(end.at)}")
    if end.again:
        parts.append("sent again on purpose")
    if end.excerpt:
        parts.append(f"they said: {end.excerpt}")
    return "; ".join(parts)
