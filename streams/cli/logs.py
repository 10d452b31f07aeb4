"""Logs of a process, on standard error: a line an event, for people or as JSON for machines.

What a line is about stands in fields beside its words (`extra=` of the standard library): ids are
fields in both forms, so that one search finds all that happened to a delivery. Keys of customers
are masked by whoever logs them.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

if TYPE_CHECKING:
    from streams.settings import Logs

FORMAT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"
QUIET: Final = ("faust", "mode", "aiokafka", "aiohttp", "httpx2", "httpcore2")
FIELDS: Final = (
    "connection", "topic", "partition", "offset", "event_type", "event_id", "delivery_id", "part",
    "outcome", "reason", "customer", "trace_id",
)  # fmt: skip
"""What a line may be about, in this order; others are not written."""


class JsonLines(logging.Formatter):
    """One JSON object a line: at, level, logger, message, the fields, and a traceback's kind."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, tz=UTC)
        line: dict[str, Any] = {
            "at": at.isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class ConsoleLines(logging.Formatter):
    """A line for people, its fields behind it."""

    @override
    def formatMessage(self, record: logging.LogRecord) -> str:
        text = super().formatMessage(record)
        return " ".join([text, *(f"{name}={value}" for name, value in _fields(record).items())])


def configure_logs(told: Logs) -> None:
    """Set up logging for this process."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if told.format == "json" else ConsoleLines(FORMAT))
    logging.basicConfig(level=told.level, handlers=[handler], force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    told = record.__dict__
    return {name: told[name] for name in FIELDS if told.get(name) is not None}
