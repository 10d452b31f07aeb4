"""Settings → the audit topic of this prefix, as this user writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.cli.composition import kafka_of, names_of
from streams.cli.connections.deciding import operator
from streams.control.audit import Audit

if TYPE_CHECKING:
    from streams.settings import Settings


def audit_of(settings: Settings, by: str | None = None) -> Audit:
    """Where actions are written; `by`: whose they are, None for this user's."""
    return Audit(kafka_of(settings, "streams-audit"), names_of(settings).audit, by or operator())
