"""The tables of destinations, made from what they make of the samples, and from their rules."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from streams.destinations import DESTINATIONS
from streams.model.delivery import Options, Part
from streams.model.fact import CUSTOMER_ERASED
from streams.pipeline import enriched_of
from tests.support.enriched import KNOWN, bare
from tests.support.okendo import ENRICHED
from tests.support.okendo import story as members
from tests.support.pages import paths
from tests.support.told import first_of_each

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streams.model.enriched import EnrichedEvent

OPTIONS = Options(contact_fields={"status": "51001"})
"""With which each says what it can."""


class Cell(NamedTuple):
    """An event at a vendor: what it is called there, and its fields."""

    name: str
    fields: tuple[str, ...]


@cache
def samples(destination: str) -> dict[str, EnrichedEvent]:
    """Event type → its first event in the samples of both sources."""
    found = dict(first_of_each(DESTINATIONS[destination]))
    for processed in members():
        for told in processed.told:
            event = enriched_of(ENRICHED, told.value)
            if event.type in DESTINATIONS[destination].takes:
                found.setdefault(event.type, event)
    if DESTINATIONS[destination].deletion is not None:
        found[CUSTOMER_ERASED] = bare(CUSTOMER_ERASED, KNOWN)
    return found


@cache
def cells(destination: str) -> dict[str, Cell]:
    """Event type → its event at a vendor."""
    found = {}
    for event_type in DESTINATIONS[destination].takes:
        event = samples(destination)[event_type]
        parts = DESTINATIONS[destination].render(event, "id", event.occurred_at, OPTIONS)
        [part] = [each for each in parts if isinstance(each, Part) and each.name == "event"]
        found[event_type] = Cell(*_told(part.request.body))
    return found


def _told(body: Any) -> tuple[str, tuple[str, ...]]:
    """The name and the paths of the fields, wherever a vendor has them."""
    if "data" in body:
        attributes = body["data"]["attributes"]
        name, fields = attributes["metric"]["data"]["attributes"]["name"], attributes["properties"]
    elif "params" in body:
        name = body["eventTypeKey"]
        fields = {each["name"]: each["value"] for each in body["params"]}
    elif "status" in body:
        name, fields = f"order{body['status']}", body
    else:
        name, fields = body.get("type") or body["event_type"], body["properties"]
    return name, tuple(dict.fromkeys(paths(fields)))


def by_event() -> Iterator[tuple[str, ...]]:
    """Each event type with its name at every vendor."""
    order = dict.fromkeys(each for name in DESTINATIONS for each in sorted(cells(name)))
    for event_type in order:
        told = (cells(name).get(event_type) for name in DESTINATIONS)
        yield f"`{event_type}`", *(f"`{each.name}`" if each else "-" for each in told)


def by_field() -> Iterator[tuple[str, ...]]:
    """Each event at each vendor with its fields."""
    for name in DESTINATIONS:
        for event_type, cell in sorted(cells(name).items()):
            yield name, f"`{event_type}`", ", ".join(f"`{each}`" for each in cell.fields) or "-"


def rules() -> Iterator[tuple[str, ...]]:
    """Each row of each vendor's rules."""
    yield from _of_fields()
    yield from _of_calls()


def _of_fields() -> Iterator[tuple[str, ...]]:
    for name, destination in DESTINATIONS.items():
        told = destination.rules
        for each in told.identifiers:
            optional = ", only with `client_user_id`" if each.optional else ""
            yield name, "customers", f"`{each.of}`", f"{each.says}{optional}", each.source
        for rows, demands in told.demands.items():
            for demand in demands:
                fields = ", ".join(f"`{each}`" for each in demand.fields if each) or "the body"
                yield name, rows, fields, demand.says.replace("|", "\\|"), demand.source


def _of_calls() -> Iterator[tuple[str, ...]]:
    for name, destination in DESTINATIONS.items():
        told = destination.rules
        if told.starts_flows_within is not None:
            hours = told.starts_flows_within / 3_600_000
            yield name, "events", "age", f"older than {hours:g} hours: kept, starts no flow", ""
        for batch in told.batches:
            size = f"{batch.count:,} records, {batch.bytes:,} bytes, after {batch.seconds:g} s"
            yield name, batch.name, "batch", f"at most {size}", batch.source
        for limit in told.limits:
            yield name, limit.endpoint, "rate", f"{limit.count:,} in {limit.seconds:g} s", ""
        if told.sync_profiles_every:
            every = f"every {told.sync_profiles_every / 60:g} minutes, the newest of each customer"
            yield name, "profiles", "sync", every, ""
