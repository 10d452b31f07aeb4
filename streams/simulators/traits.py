"""Look for what faults can be matched on, in bodies of any shape.

Shared by the simulators. Faults fire before a body is examined, so nothing is taken for granted
here: what is not where the contract puts it is simply absent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["dig", "texts"]


def dig(value: object, *names: str) -> object:
    """The value below these names, one within the other; None where the way ends."""
    for name in names:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def texts(holder: object, names: Iterable[str]) -> dict[str, str]:
    """Those of the names that the holder has with a text."""
    if not isinstance(holder, dict):
        return {}
    return {name: holder[name] for name in names if isinstance(holder.get(name), str)}
