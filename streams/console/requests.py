"""The request that a delivery's record asks for, as today's renderer makes it; masked for people.

What was really sent is kept nowhere (outcomes hold keyed hashes of its fields): this is the same
function over the same record, so it is the same request as long as renderer and settings are. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
from msgspec.structs import replace

from streams.console.customer_sight import Sent
from streams.delivery.replaying import rendered_again
from streams.explain import body_of
from streams.model.delivery import Part, Refusal
from streams.model.fact import PROFILE_CHANGED
from streams.model.ids import delivery_id
from streams.model.masking import HIDDEN, MASKS, initial, masked_email, masked_phone
from streams.replay.showing import masked_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from streams.explain import Target
    from streams.model.enriched import EnrichedEvent
    from streams.model.replayed import Replayed

_ADDRESS: Final = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_SHORTEST: Final = 2


class Recorded(NamedTuple):
    """A delivery's record.

    Attributes:
        event: that it holds.
        at: when it was recorded, epoch milliseconds.
        low: whether it is in the low lane.
        replayed: how it goes again; None: it came by itself.
    """

    event: EnrichedEvent
    at: int
    low: bool
    replayed: Replayed | None


def sent_of(target: Target, record: Recorded) -> list[Sent]:
    """The parts of a delivery, with their requests; judged at the time of its record."""
    event, at, low, again = record
    id_ = delivery_id(event.event_id, event.type, target.name)
    options, vendor = replace(target.options, bulk=low), target.destination
    shown = event if target.gate.wants(event.type) else replace(event, type=PROFILE_CHANGED)
    parts: list[Part | Refusal]
    try:
        if again is None:
            parts = vendor.render(shown, id_, at, options)
        else:
            options = replace(options, bulk_profiles=again.bulk)
            own = again.id_of(id_)
            parts = rendered_again(vendor, shown, own, at, options, again.mode, superseded=False)
    except Exception:  # noqa: BLE001 - as the deliver role: the delivery is a dead letter
        parts = []
    found = [_sent(target, record, part) for part in parts]
    if shown is not event:
        found.append(_nothing(target, record, "event", "the settings leave such events out"))
    return found or [_nothing(target, record, "event", "there is nothing to send of it")]


def _sent(target: Target, record: Recorded, part: Part | Refusal) -> Sent:
    if isinstance(part, Refusal):
        why = ", ".join(filter(None, (part.outcome.value, part.reason, part.field)))
        return _nothing(target, record, part.name, why)
    body = body_of(part.request)
    return Sent(
        connection=target.name,
        part=part.name,
        again=None if record.replayed is None else record.replayed.mode,
        at=record.at,
        call=f"{part.request.method} {part.request.path}",
        body=body,
        masked=masked_body(body, record.event),
        note=part.remark,
    )


def _nothing(target: Target, record: Recorded, part: str, why: str) -> Sent:
    again = None if record.replayed is None else record.replayed.mode
    return Sent(target.name, part, again, record.at, None, None, None, why)


def masked_body(body: Any, event: EnrichedEvent) -> Any:
    """A request's body with everything masked that its event says of the person.

    All that is personal in it comes from the event, whatever the vendor calls it; so it is found by
    value, within texts too.
    """
    known = dict(sorted(_personal(event), key=lambda each: -len(each[0])))
    if not known:
        return body
    pattern = re.compile("|".join(map(re.escape, known)), re.IGNORECASE)
    masks = {text.casefold(): shown for text, shown in known.items()}

    def masked(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {name: masked(each) for name, each in value.items()}
        if isinstance(value, list | tuple):
            return [masked(each) for each in value]
        if isinstance(value, str):
            told = pattern.sub(lambda found: masks.get(found[0].casefold(), HIDDEN), value)
            return _ADDRESS.sub(lambda found: masked_email(found[0]), told)
        if isinstance(value, int) and str(value) in masks:
            return masks[str(value)]
        return value

    return masked(body)


def _personal(event: EnrichedEvent) -> Iterator[tuple[str, str]]:
    """(text, how it is shown) of all that an event says of who it is."""
    yield event.customer_id, masked_id(event.customer_id)
    for name, text in _texts(event):
        mask: Callable[[str], str] = MASKS[name]
        if len(text) < _SHORTEST:
            continue
        yield text, mask(text)
        if mask is masked_phone:
            yield text.lstrip("+"), mask(text)
    first, last = event.profile.first_name, event.profile.last_name
    if first and last:
        yield f"{first} {last}", f"{initial(first)} {initial(last)}"


def _texts(value: Any) -> Iterator[tuple[str, str]]:
    """All texts of masked fields, at any depth."""
    if isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            each = getattr(value, name)
            if name in MASKS and isinstance(each, str):
                yield name, each
            else:
                yield from _texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)
