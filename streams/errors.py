"""The exception tree, by what happens next.

    StreamsError
    ├── ConfigurationError   the program does not start (exit 2): a setting is wrong
    ├── BadRecord            the record goes to a dead-letter topic; the flow goes on
    └── EngineFailed         the process stops unready (exit 70): going on would lose or repeat

Messages never hold secrets or personal data.
"""

from __future__ import annotations

from typing import Literal

RecordReason = Literal[
    "malformed",
    "missing_field",
    "wrong_type",
    "unknown_type",
    "unknown_schema",
    "no_customer",
    "too_large",
    "wrong_key",
    "unmapped_path",
    "unknown_value",
    "unknown_tier",
    "failed",
]
"""Why a source record is given up on. `failed`: our own code raised; the record is kept."""


class StreamsError(Exception):
    """What all errors of this program are."""


class ConfigurationError(StreamsError):
    """A setting is wrong. Names the setting and how to mend it; the process exits 2."""

    def __init__(self, setting: str, problem: str, fix: str) -> None:
        super().__init__(f"{setting}: {problem}. {fix}")
        self.setting = setting
        self.problem = problem
        self.fix = fix


class BadRecord(StreamsError):
    """A record that cannot become an event: kept as a dead letter with this reason."""

    def __init__(self, reason: RecordReason, field: str | None, detail: str) -> None:
        super().__init__(f"{reason} {field or ''}: {detail}")
        self.reason: RecordReason = reason
        self.field = field
        self.detail = detail


class EngineFailed(StreamsError):
    """The engine cannot go on without losing or repeating something; the process exits 70."""
