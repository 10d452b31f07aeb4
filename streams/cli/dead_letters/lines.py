"""Dead letters for people and programs: counts, rows, and one letter whole."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from streams.cli.table.row_lines import time_text
from streams.errors import BadRecord
from streams.replay.letters import counted
from streams.replay.showing import (
    masked_event,
    masked_key,
    plain_event,
    plain_key,
    readable,
    shown_headers,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from streams.replay.letters import Letter
    from streams.replay.reading import Box, Readers

Plan = list[tuple["Letter", "str | None", "str | None"]]
"""Letters, the topic that each would go to, and what stands in its way, if something does."""

HEADINGS = ("id", "of", "reason", "field", "event type", "customer", "status", "written", "")


def count_lines(letters: Sequence[Letter]) -> Iterator[str]:
    """How many there are, and of each source or connection, reason and event type."""
    if not letters:
        yield "no dead letters"
        return
    oldest = min(each.written_at for each in letters)
    yield f"{_letters(len(letters))}, the oldest of {time_text(oldest)}"
    yield from aligned([("", f"{n:,}", *kind) for kind, n in counted(letters)], right=1)


def row_lines(letters: Iterable[Letter], *, unmasked: bool) -> Iterator[str]:
    """A table with a row for each letter."""
    rows = [_row(each, unmasked=unmasked) for each in letters]
    if rows:
        yield from aligned([HEADINGS, *rows])


def _row(letter: Letter, *, unmasked: bool) -> tuple[str, ...]:
    redriven = letter.redriven_at
    return (
        letter.id,
        letter.of,
        letter.reason,
        letter.field or "-",
        letter.type,
        customer_text(letter, unmasked=unmasked) or "-",
        "-" if letter.status is None else str(letter.status),
        time_text(letter.written_at),
        "" if redriven is None else f"redriven {time_text(redriven)}",
    )


def customer_text(letter: Letter, *, unmasked: bool) -> str | None:
    """Whose letter it is, as far as its key says so."""
    if letter.key is None or not unmasked:
        return masked_key(letter.key)
    return plain_key(letter.key)


def row_object(letter: Letter, *, unmasked: bool) -> dict[str, Any]:
    """A letter as one JSON object, without its event."""
    return {
        "id": letter.id,
        "of": letter.of,
        "reason": letter.reason,
        "field": letter.field,
        "event_type": letter.type,
        "part": letter.part,
        "customer": customer_text(letter, unmasked=unmasked),
        "status": letter.status,
        "attempts": letter.attempts,
        "from": letter.origin,
        "bytes": letter.size,
        "written_at": time_text(letter.written_at),
        "redriven_at": None if letter.redriven_at is None else time_text(letter.redriven_at),
    }


def whole(
    box: Box, letter: Letter, record: Mapping[str, Any], readers: Readers, *, unmasked: bool
) -> dict[str, Any]:
    """One letter with its event, as an object for JSON."""
    value = record["value"]
    told: Any
    try:
        event = readers.event(box, record)
    except BadRecord as bad:
        why = bad.detail
        told = readable(value) if unmasked else f"unreadable: {why} ({len(value)} bytes)"
    else:
        told = plain_event(event) if unmasked else masked_event(event)
    at = record["timestamp"]
    return row_object(letter, unmasked=unmasked) | {
        "from": {
            "topic": record["topic"],
            "partition": record["partition"],
            "offset": record["offset"],
            "at": None if at is None else time_text(at),
        },
        "topic": box.topic,
        "detail": record["detail"],
        "delivery_id": record["delivery_id"],
        "headers": shown_headers(record["headers"], unmasked=unmasked),
        "event": told,
    }


def plan_lines(plan: Plan) -> Iterator[str]:
    """What a redrive would do, and what it would leave out."""
    going = [(each, to) for each, to, why in plan if why is None]
    kinds = Counter((each.of, to or "", each.reason, each.type) for each, to in going)
    yield f"would append {_letters(len(going))} again" + (":" if going else "")
    rows = [
        ("", f"{n:,}", of, f"→ {to}", reason, kind) for (of, to, reason, kind), n in _most(kinds)
    ]
    yield from aligned(rows, right=1)
    customers = len({each.key for each, _ in going if each.part != "profile"})
    if customers:  # a profile starts no flow
        people = f"{customers:,} customer{'' if customers == 1 else 's'}"
        yield f"up to {people} may be messaged: events go as if new, however old they are"
    yield from left_out_lines(plan)


def left_out_lines(plan: Plan) -> Iterator[str]:
    """What cannot be redriven, and why."""
    reasons = Counter((each.of, why) for each, _, why in plan if why is not None)
    if reasons:
        yield "left out:"
        yield from aligned([("", f"{n:,}", of, why) for (of, why), n in _most(reasons)], right=1)


def purge_lines(letters: Sequence[Letter]) -> Iterator[str]:
    """What a purge would do."""
    yield f"would settle {_letters(len(letters))} without doing anything about them" + (
        ":" if letters else ""
    )
    yield from aligned([("", f"{n:,}", *kind) for kind, n in counted(letters)], right=1)


def aligned(rows: Sequence[Sequence[str]], right: int | None = None) -> Iterator[str]:
    """Columns as wide as they must be; one of them may be flush right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            f"{cell:>{width}}" if place == right else f"{cell:{width}}"
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()


def _most(counts: Counter[Any]) -> list[tuple[Any, int]]:
    return sorted(counts.items(), key=lambda each: (-each[1], each[0]))


def _letters(count: int) -> str:
    return f"{count:,} dead letter{'' if count == 1 else 's'}"


def now_milliseconds() -> int:
    """The clock, epoch milliseconds."""
    return time.time_ns() // 1_000_000
