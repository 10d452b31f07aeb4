"""How entities look in answers: naive times, and the odd forms that documents show (§2.1, §2.2).

What was put over `/_control` is told as it was put, but for times in epoch seconds. Of the
generated shop some values are odd, the same ones whenever they are asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal
from zlib import crc32

import msgspec

from streams.simulators.ordergroove_times import text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from streams.simulators.ordergroove_kinds import Kind
    from streams.simulators.ordergroove_switches import Switches
    from streams.simulators.shapes import JSON

__all__ = ["told"]


def told(
    kind: Kind,
    entity: JSON,
    switches: Switches,
    *,
    generated: bool,
    where: Literal["list", "retrieve"],
) -> JSON:
    """An entity as a list, or the call for one alone, shows it."""
    shown = dict(entity)
    for name in kind.times:
        value = shown.get(name)
        if isinstance(value, int):
            shown[name] = text_of(value, switches.zone)
    if not generated:
        return shown
    in_text = where == "list" and switches.list_extra_data == "text"
    if in_text and isinstance(shown.get("extra_data"), dict):
        shown["extra_data"] = msgspec.json.encode(shown["extra_data"]).decode()
    chance = switches.odd_share * 1_000
    for name, odd in _ODD.items():
        salted = f"{name}:{entity.get(kind.id)}"
        if name in shown and crc32(salted.encode()) % 1_000 < chance:
            shown[name] = odd(shown[name])
    return shown


def _as_text(value: object) -> object:
    """`True` → "True", one list example's."""
    return str(value) if isinstance(value, bool) else value


def _with_pipe(value: object) -> object:
    """8 → "8|", as in one list example."""
    return None if value is None else f"{value}|"


def _without_code(value: object) -> object:
    """Of "8|Costs too much" the text alone, as the subscription manager shows it."""
    return value.partition("|")[2] if isinstance(value, str) else value


def _commas(value: object) -> object:
    """A bundle's parts in the legacy form."""
    parts = value if isinstance(value, list) else []
    return ",".join(each["product"] for each in parts) if parts else value


def _nothing(value: object) -> object:
    """Extra data without anything in it: an empty text in lists, else null."""
    return "" if value == "{}" else value or None


def _empty_object(value: object) -> object:
    """Null as `{}`."""
    return {} if value is None else value


def _local(value: object) -> object:
    """`+13125550148` → `312-555-0148`."""
    text = str(value)
    return f"{text[2:5]}-{text[5:8]}-{text[8:]}" if text.startswith("+1") else value


_ODD: Mapping[str, Callable[[object], object]] = {
    "live": _as_text,
    "cancel_reason_code": _with_pipe,
    "cancel_reason": _without_code,
    "components": _commas,
    "extra_data": _nothing,
    "prepaid_subscription_context": _empty_object,
    "phone_number": _local,
}
"""Field → its odd form."""
