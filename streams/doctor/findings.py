"""Findings: what was looked at, how it is, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

Level = Literal["ok", "warn", "bad"]
"""`bad`: something does not work, or will lose what it promises. `warn`: somebody should know."""


class Finding(NamedTuple):
    """One thing that was looked at.

    Attributes:
        about: the part of the set-up: kafka, topics, keys, …
        level: how it is.
        says: what was found, without secrets and without persons.
        fix: what to do; None where nothing is to be done.
    """

    about: str
    level: Level
    says: str
    fix: str | None = None


def ok(about: str, says: str) -> Finding:
    """Nothing is to be done."""
    return Finding(about, "ok", says)


def warn(about: str, says: str, fix: str) -> Finding:
    """It works, and somebody should know what it means."""
    return Finding(about, "warn", says, fix)


def bad(about: str, says: str, fix: str) -> Finding:
    """It does not work, or will not hold what is promised."""
    return Finding(about, "bad", says, fix)


def is_well(findings: Iterable[Finding]) -> bool:
    """Whether nothing is bad."""
    return all(each.level != "bad" for each in findings)
