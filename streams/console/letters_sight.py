"""What the page Dead letters asks for, and is told.

Nobody is named unmasked here, but in a letter that somebody had shown so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class LettersAsked(NamedTuple):
    """Which letters are meant; what is empty leaves nothing out.

    Attributes:
        of: sources and connections.
        reasons: words.
        types: event types.
        customer: `MERCHANT:ID`.
        since: a time with its zone, or so long ago: `24h` …
        until: … and before then.
    """

    of: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    customer: str = ""
    since: str = ""
    until: str = ""


class LetterRow(NamedTuple):
    """A letter in the list; times are epoch milliseconds.

    Attributes:
        id: its key.
        of: the source or connection that gave it up.
        reason: a word.
        field: that was wrong.
        type: the event's.
        customer: whose, masked unless that customer was asked for.
        status: HTTP status of the last answer.
        written_at: when it was given up.
        redriven_at: when it was appended again, and is not settled since.
    """

    id: str
    of: str
    reason: str
    field: str | None
    type: str
    customer: str | None
    status: int | None
    written_at: int
    redriven_at: int | None


class LettersSight(NamedTuple):
    """The letters that are meant.

    Attributes:
        rows: the newest of them, the newest first.
        ids: of all of them.
        counts: (source or connection, reason, event type) and how many, the most frequent first.
        oldest: when the oldest was given up.
        unreadable: topic → records on it that are no letters.
    """

    rows: list[LetterRow]
    ids: frozenset[str]
    counts: list[tuple[tuple[str, str, str], int]]
    oldest: int | None
    unreadable: Mapping[str, int]


class LetterSight(NamedTuple):
    """One letter, whole.

    Attributes:
        row: it in the list.
        key: of the customer, for the record of who had it shown; None: nobody knows whose it is.
        shown: it as an object for JSON, masked or not.
        obstacle: why it cannot be redriven; None: it can.
    """

    row: LetterRow
    key: bytes | None
    shown: Mapping[str, Any]
    obstacle: str | None


class LettersPlan(NamedTuple):
    """What a redrive or a purge would do.

    Attributes:
        ids: of the letters that are meant.
        number: how many of them it would settle or append again.
        going: (source or connection, topic that it goes to, reason, event type), and how many.
        left_out: (source or connection, why), and how many.
        silent: connections that send nothing, as decided, and their modes.
    """

    ids: frozenset[str]
    number: int
    going: list[tuple[tuple[str, str, str, str], int]]
    left_out: list[tuple[tuple[str, str], int]]
    silent: Mapping[str, str]
