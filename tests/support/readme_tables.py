"""The README's tables, made from the code."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, SecretStr
from pydantic_core import PydanticUndefined

from streams.console.gauges import index_metrics, login_metrics
from streams.console.index import IndexStanding
from streams.delivery.gauges import delivery_metrics
from streams.delivery.statistics import Statistics
from streams.destinations import DESTINATIONS
from streams.errors import RecordReason
from streams.hydrate.counts import HydrateCounts, hydrate_metrics
from streams.ingest.gauges import ingest_metrics
from streams.metrics import (
    DeriveCounts,
    RekeyCounts,
    derive_metrics,
    engine_metrics,
    rekey_metrics,
    schema_metrics,
)
from streams.model.delivery import Outcome
from streams.model.fact import WITHHELD
from streams.model.loyalty import LOYALTY_EVENTS
from streams.replay.gauges import dead_letter_metrics
from streams.settings import Connection, Okendo, Settings
from streams.settings.ordergroove_api import Api
from streams.settings.values import UNITS
from streams.sources.ordergroove import OBJECT_OF
from streams.sync.gauges import SyncCounts, sync_metrics
from tests.support import answer_tables, destination_tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MARKER = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)

REASONS = {
    "malformed": "not JSON, not an object, not Avro in the wire format, or not its schema",
    "missing_field": "a field that a record cannot do without; its path is named",
    "wrong_type": "a value that cannot be read as what the field holds; its path is named",
    "unknown_type": "an event type that is in no generation of the source's documents",
    "unknown_schema": "a schema id that the registry does not have",
    "no_customer": "nobody says whose event it is",
    "too_large": "a body of more than 1,000,000 bytes, or a record that its topic does not take",
    "wrong_key": "the record's key is not `merchant:customer`, nor what the mapping says it is",
    "unmapped_path": "a path of the mapping that the record's schema has not; the entry is named",
    "unknown_value": "a value that the mapping's `values`, or the source's documents, do not name",
    "unknown_tier": "a loyalty tier that `okendo.tiers` does not have",
    "failed": "our own code raised; the exception's class is named",
}


def filled(readme: str) -> str:
    """The README with every table as the code has it now."""
    return MARKER.sub(lambda found: found[1] + TABLES[found[2]]() + found[3], readme)


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(list(head))]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def settings() -> str:
    """Every setting with its default."""
    return _table(("setting", "default", "what it is"), _settings(Settings, ""))


def _settings(model: type[BaseModel], path: str) -> Iterator[tuple[str, str, str]]:
    for name, field in model.model_fields.items():
        here = f"{path}{name}"
        annotation = field.annotation
        if name == "connections":
            yield from _settings(Connection, "connections.NAME.")
        elif here == "okendo":
            yield from _settings(Okendo, "okendo.")
        elif here == "ordergroove.api":
            yield from _settings(Api, "ordergroove.api.MERCHANT.")
        elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield from _settings(annotation, f"{here}.")
        else:
            yield f"`{here}`", _default(field.default), field.description or ""


def _default(value: Any) -> str:
    if value is PydanticUndefined:
        return "empty"
    if value is None:
        return "none"
    if isinstance(value, SecretStr):
        return "a secret"
    if isinstance(value, timedelta):
        return f"`{_duration(value.total_seconds())}`"
    return f"`{value}`"


def _duration(seconds: float) -> str:
    """As the settings file has it, in the largest unit that divides it."""
    sizes = ((unit, size) for unit, size in reversed(UNITS.items()) if size >= 1)
    return next(f"{seconds / size:g}{unit}" for unit, size in sizes if seconds % size == 0)


def events() -> str:
    """Event types by what takes them."""
    derived = {"profile.changed"}
    known = {*OBJECT_OF, *LOYALTY_EVENTS}
    taken = [*destination_tables.by_event()]
    nobody = sorted(known - {row[0].strip("`") for row in taken} - derived)
    alone = ("the profile alone" if each.rules.profiles else "-" for each in DESTINATIONS.values())
    profile = ("`profile.changed`", *alone)
    rows = [*taken, profile, *((f"`{each}`", *(["-"] * len(DESTINATIONS))) for each in nobody)]
    return _table(("event type", *DESTINATIONS), rows)


def fields() -> str:
    """Every event at every destination, with its fields."""
    return _table(("destination", "event type", "fields"), destination_tables.by_field())


def rules() -> str:
    """Every rule of every destination."""
    head = ("destination", "of", "field", "rule", "contract")
    return _table(head, destination_tables.rules())


def answers() -> str:
    """Every answer of every destination."""
    return _table(("destination", "contract", "answer", "records", "then"), answer_tables.answers())


def retries() -> str:
    """How each kind of failure is met."""
    times = "first wait", "longest wait", "longest Retry-After", "given up after"
    return _table(("destination", "reason", *times, "source"), answer_tables.retries())


def ages() -> str:
    """What is not worth telling for ever."""
    head = ("event type", "no more when", "else no more after", "it tells")
    return _table(head, answer_tables.ages())


def outcomes() -> str:
    """What can come of a delivery."""
    rows = ((f"`{each}`", "yes" if each.final else "no") for each in Outcome)
    return _table(("outcome", "final"), rows)


def dead_letters() -> str:
    """Why a source record is given up on."""
    rows = ((f"`{reason}`", REASONS[reason]) for reason in get_args(RecordReason))
    return _table(("reason", "what was wrong"), rows)


def withheld() -> str:
    """Why an event is not delivered."""
    return _table(("reason", "what it means"), ((f"`{k}`", why) for k, why in WITHHELD.items()))


def metrics() -> str:
    """Every metric of ours."""
    families = [
        *derive_metrics(DeriveCounts()),
        *ingest_metrics(Counter()),
        *sync_metrics(SyncCounts()),
        *rekey_metrics(RekeyCounts()),
        *hydrate_metrics(HydrateCounts()),
        *engine_metrics(dict),
        *delivery_metrics({"": Statistics()}),
        *dead_letter_metrics({}),
        *schema_metrics({}),
        *index_metrics(lambda: IndexStanding(0, None, 0), failing=False),
        *login_metrics({}),
    ]
    rows = []
    for family in families:
        suffix = "_total" if family.type == "counter" else ""
        labels = getattr(family, "_labelnames", ())
        name = f"`{family.name}{suffix}`"
        rows.append((name, family.type, ", ".join(labels), family.documentation))
    return _table(("metric", "kind", "labels", "what it counts"), rows)


TABLES = {
    "settings": settings,
    "events": events,
    "fields": fields,
    "rules": rules,
    "answers": answers,
    "retries": retries,
    "ages": ages,
    "outcomes": outcomes,
    "dead_letters": dead_letters,
    "withheld": withheld,
    "metrics": metrics,
}
