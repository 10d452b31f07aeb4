"""A merchant's own schema, which shares nothing with ours, and the settings that map it.

Other names, millisecond times, records in nested unions, enums, money in minor units and as Avro's
decimal, a key without the merchant, and an array of changes in one record.
"""

from __future__ import annotations

import io
import json
import tomllib
from typing import Any

import fastavro

from streams.avro import compiled
from streams.cli.mapping import mapping_of
from streams.settings.mapping import Mapping as MappingSettings

MERCHANT = "5b1e9c0a7d3f4e2b8a6c1d0e9f8b7a65"
AT = 1_790_866_800_000
"""2026-10-01, 15:00 in Greenwich; milliseconds."""


def _record(name: str, **fields: Any) -> dict[str, Any]:
    listed = [{"name": field, "type": kind} for field, kind in fields.items()]
    return {"type": "record", "name": name, "fields": listed}


def _enum(name: str, *symbols: str) -> dict[str, Any]:
    return {"type": "enum", "name": name, "symbols": list(symbols)}


def _list(items: Any) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _decimal(scale: int) -> dict[str, Any]:
    return {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": scale}


REACH = _record("Reach", way=_enum("Way", "LETTER", "MAIL", "PHONE"), to="string")
GUEST = _record("Guest", alias="string")
ACCOUNT = _record("Account", called=_record("Called", given="string", family="string"))
ACCOUNT["fields"].append({"name": "reach", "type": ["null", _list(REACH)]})
WARE = _record("Ware", sku="string", title=["null", "string"])
CONTRACT = _record(
    "Contract",
    no="string",
    ware=WARE,
    pieces="int",
    running="boolean",
    stamp={"type": "long", "logicalType": "timestamp-millis"},
    rhythm=_record("Rhythm", n="int", span=_enum("Span", "DAY", "WEEK", "MONTH")),
    ended=["null", _record("Ended", grounds=["null", "string"])],
)
PARCEL = _record(
    "Parcel",
    label="string",
    leaves={"type": "int", "logicalType": "date"},
    sum=_decimal(2),
    lines=_list(_record("Line", id="string", of=["null", "string"], sku="string", cents="long")),
)
WHAT = _enum("What", "STARTED", "STOPPED", "SHIPS_SOON", "NOTED", "MOVED")
CHANGE = _record(
    "Change", what=WHAT, about=["null", CONTRACT, _record("Wrapped", parcel=["null", PARCEL])]
)
SCHEMA: dict[str, Any] = _record(
    "Notice",
    uid="long",
    moment={"type": "long", "logicalType": "timestamp-millis"},
    who=["null", GUEST, ACCOUNT],
    changes=_list(CHANGE),
) | {"namespace": "club.lakeside"}
TEXT = json.dumps(SCHEMA)

SETTINGS = """
[ordergroove.mapping]
key = "club-{customer_id}"
each = "changes"
event_id = "uid"
created = { path = "moment", unit = "ms" }
merchant = { const = "5b1e9c0a7d3f4e2b8a6c1d0e9f8b7a65" }
customer_id = { key = "customer_id" }
source = { const = "PurchasePOST" }

[ordergroove.mapping.type]
path = "@.what"
ignore = ["NOTED"]

[ordergroove.mapping.type.values]
STARTED = "subscription.create"
STOPPED = "subscription.cancel"
SHIPS_SOON = "order.reminder"

[ordergroove.mapping.subscription]
public_id = "@.about.no"
product = "@.about.ware.sku"
quantity = "@.about.pieces"
live = "@.about.running"
updated = { path = "@.about.stamp", unit = "ms" }
created = { path = "@.about.stamp", unit = "ms" }
every = "@.about.rhythm.n"
every_period = { path = "@.about.rhythm.span", values = { DAY = 1, WEEK = 2, MONTH = 3 } }
cancel_reason = "@.about.ended.grounds"

[ordergroove.mapping.order]
public_id = "@.about.parcel.label"
place = { path = "@.about.parcel.leaves", unit = "days" }
total = { path = "@.about.parcel.sum", scale = 2 }
currency_code = { const = "EUR" }

[ordergroove.mapping.snapshot.customer]
email = "who.reach[way=MAIL].to"
phone_number = "who.reach[way=PHONE].to"
first_name = "who.called.given"
last_name = "who.called.family"
created = { path = "moment", unit = "ms" }

[ordergroove.mapping.snapshot.products]
id = "@.about.ware.sku"
name = "@.about.ware.title"

[ordergroove.mapping.snapshot.items]
each = "@.about.parcel.lines"
public_id = "@.id"
order = "@@.about.parcel.label"
subscription = "@.of"
product = "@.sku"
total_price = { path = "@.cents", scale = 2 }
"""


def settings_of(text: str = SETTINGS) -> MappingSettings:
    """The mapping of a settings file."""
    return MappingSettings.model_validate(tomllib.loads(text)["ordergroove"]["mapping"])


def changed(old: str, new: str, text: str = SETTINGS) -> str:
    """The settings with one thing in them written otherwise."""
    assert old in text
    return text.replace(old, new)


MAPPING = mapping_of(settings_of())
COMPILED = compiled(SCHEMA)


def contract(no: str = "k-7", *, running: bool = True, after: int = 0, **more: Any) -> Any:
    """A contract in a change, its stamp some milliseconds after the notice."""
    told = {
        "no": no,
        "ware": {"sku": "OAT-2", "title": "Oat mix"},
        "pieces": 2,
        "running": running,
        "stamp": AT + after,
        "rhythm": {"n": 8, "span": "WEEK"},
        "ended": None,
    }
    return ("club.lakeside.Contract", told | more)


def parcel(label: str = "p-1", of: str = "k-7") -> Any:
    """A parcel in a change, two unions deep."""
    told = {
        "label": label,
        "leaves": 20_742,
        "sum": (4650).to_bytes(2, "big"),
        "lines": [{"id": "l-1", "of": of, "sku": "OAT-2", "cents": 4200}],
    }
    return ("club.lakeside.Wrapped", {"parcel": told})


def notice(*changes: tuple[str, Any], uid: int = 88, **more: Any) -> dict[str, Any]:
    """A record as its writer has it; changes are (what, about)."""
    reach = [
        {"way": "LETTER", "to": "9 Quay Rd"},
        {"way": "MAIL", "to": "noor@shop-demo.io"},
        {"way": "PHONE", "to": "(312) 555-0148"},
    ]
    account = {"called": {"given": "Noor", "family": "Hale"}, "reach": reach}
    told = {
        "uid": uid,
        "moment": AT,
        "who": ("club.lakeside.Account", account),
        "changes": [{"what": what, "about": about} for what, about in changes],
    }
    return told | more


def as_read(record: dict[str, Any]) -> Any:
    """A record as a reader of the writer's schema has it."""
    out = io.BytesIO()
    fastavro.schemaless_writer(out, COMPILED, record)
    out.seek(0)
    return fastavro.schemaless_reader(out, COMPILED, None)
