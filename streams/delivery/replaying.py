"""What a replayed delivery asks of its vendor, by the mode in which it goes again. Pure.

Deliver and the plan of a replay render by this one function, so that what was planned is what
happens (DESIGN §7, "What replay can and cannot repair").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from streams.delivery.expiry import expired
from streams.model.delivery import Outcome, Part, Refusal
from streams.model.fact import CUSTOMER_ERASED, PROFILE_CHANGED

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from streams.delivery.gate import Gate
    from streams.model.delivery import Destination, Options
    from streams.model.enriched import EnrichedEvent
    from streams.model.replayed import Mode, Replayed

MARGIN_MS: Final = 60_000
"""How much older than the vendor's limit what must start no flow has to be: clocks differ."""

WOULD_TRIGGER: Final = "would_trigger"
"""The reason of what was not sent because it would have started a flow."""


def unwanted(
    event: EnrichedEvent,
    now: int,
    gate: Gate,
    options: Options,
    max_age: Mapping[str, timedelta],
    mode: Mode | None,
) -> tuple[Outcome, str] | None:
    """What comes of an event that is not to be told, and why; None: it is.

    Its profile is told all the same. `now` is epoch milliseconds; `mode` is None for what comes for
    the first time.
    """
    if event.type in {PROFILE_CHANGED, CUSTOMER_ERASED} or mode == "profile-only":
        return None
    if not gate.wants(event.type):
        return Outcome.FILTERED, "option"
    if mode == "fill" or (event.late and options.late_events == "data"):
        return None  # it starts no flow, whenever it comes
    reason = expired(event, now, max_age, options.display_zone)
    return None if reason is None else (Outcome.EXPIRED, reason)


def newest_enough(mode: Mode | None) -> int:
    """The least age of a profile beside the vendor's with which it is sent.

    1: a newer one only; 0: also the same again, which may have been changed over there.
    """
    return 0 if mode == "profile-only" else 1


def rendered_again(  # noqa: PLR0913 - as `Destination.render`, and the mode
    destination: Destination,
    event: EnrichedEvent,
    delivery_id: str,
    now: int,
    options: Options,
    mode: Mode,
    *,
    superseded: bool,
) -> list[Part | Refusal]:
    """The parts of a delivery that goes again; arguments are those of `Destination.render`.

    `fill` trusts nobody's word but the rendered part's own: an event that is not known to start no
    flow is refused, whatever the vendor.
    """
    if mode == "trigger":
        return destination.render(event, delivery_id, now, options, superseded=superseded)
    if mode == "profile-only":
        event = replace(event, type=PROFILE_CHANGED)
        parts = destination.render(event, delivery_id, now, options, superseded=superseded)
        return [each for each in parts if each.name == "profile"]
    within = destination.rules.starts_flows_within
    # where age alone keeps a flow from starting, it must be old enough; elsewhere it says so
    event = replace(event, late=within is None)
    options = replace(options, late_events="data", bulk=True)
    parts = destination.render(event, delivery_id, now, options, superseded=superseded)
    young = within is not None and now - event.occurred_at <= within + MARGIN_MS
    return [_as_data(each, young=young) for each in parts]


def _as_data(part: Part | Refusal, *, young: bool) -> Part | Refusal:
    if part.name != "event":
        return part
    if isinstance(part, Refusal):
        late = part.outcome is Outcome.FILTERED and part.reason == "late"
        return replace(part, reason=WOULD_TRIGGER) if late else part
    if young or part.outcome is not Outcome.DELIVERED_NO_TRIGGER:
        return Refusal("event", Outcome.FILTERED, WOULD_TRIGGER)
    return part


def once_a_run(part: Part | Refusal, replayed: Replayed) -> Part | Refusal:
    """The part as one whose thing this run sends once, though an earlier one sent the same."""
    if isinstance(part, Refusal) or part.thing is None:
        return part
    return replace(part, thing=f"{part.thing} {replayed.run}")
