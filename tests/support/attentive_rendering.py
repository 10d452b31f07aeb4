"""What Attentive is asked for by events that are made by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from streams.destinations import DESTINATIONS
from streams.model.delivery import Options, Part, Refusal
from tests.support.enriched import AT

if TYPE_CHECKING:
    from streams.model.enriched import EnrichedEvent

ATTENTIVE = DESTINATIONS["attentive"]
DELIVERY = "6f1d2a52-8f0c-5c53-9a0e-6f3d1c0b7f10"


def asked(
    event: EnrichedEvent, now: int = AT, options: Options | None = None
) -> dict[str, Part | Refusal]:
    """The parts by name, in sending order."""
    parts = ATTENTIVE.render(event, DELIVERY, now, options or Options())
    return {part.name: part for part in parts}


def body(event: EnrichedEvent, name: str = "event", **options: Any) -> dict[str, Any]:
    """The body of a part that is sent."""
    part = asked(event, options=Options(**options))[name]
    assert isinstance(part, Part), part
    return dict(part.request.body)


def properties(event: EnrichedEvent, **options: Any) -> dict[str, Any]:
    """The properties of the event that is sent."""
    found: dict[str, Any] = body(event, **options)["properties"]
    return found
