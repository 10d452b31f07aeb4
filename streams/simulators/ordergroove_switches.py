"""What the Ordergroove simulator can do in more than one way, and how large its shop is.

Each switch stands for a fact that contracts/ordergroove.md marks as unsure or does not tell, or for
a property of the merchant's account. The defaults are the documented behaviour; where nothing is
documented, the stricter one, so that a reader which copes with the simulator copes with the API.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Key", "Switches", "read_switches"]

_Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
_Count = Annotated[int, msgspec.Meta(ge=0)]


class Key(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One API key; without `bulk` its lists are of one customer at a time (§2, Auth A)."""

    bulk: bool = True


class Switches(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The simulator's behaviour where it can differ."""

    customers: _Count = 0
    """How many customers the generated shop has, with about 1.4 subscriptions each; 0: none, only
    its products and what is put into it."""
    seed: int = 0
    """Which shop it is: equal seeds and numbers make equal shops."""
    as_of: int = 1_789_992_000
    """Epoch seconds at which the generated shop stands still; nothing in it changed later."""
    merchant: str = "5b1e9c0a7d3f4e2b8a6c1d0e9f8b7a65"
    """The merchant's public id."""
    keys: dict[str, Key] = {}
    """The accepted API keys. Empty: every key, with Bulk Operations."""
    no_bulk: Literal[403, 400] = 403
    """What a key without Bulk Operations gets for a list across customers (§2 says only that it
    may not)."""
    zone: str = "America/Chicago"
    """The zone of times, in answers and filters (§2.1: America/Chicago, CST or EST)."""
    compares: Literal["wall", "instants"] = "wall"
    """What filters and the order of pages compare: times as they are written, in which one hour of
    autumn comes twice, or the moments that they mean (not told)."""
    end: Literal["included", "excluded"] = "included"
    """Whether `…_end` itself is within (not told); a day alone means its first moment."""
    order: Literal["updated", "created", "newest"] = "updated"
    """The order of lists (not told): the least recently changed first, so that what changes while
    a run is paging comes again later; or by creation, the oldest or the newest first, so that
    nothing moves."""
    cursor: Literal["position", "offset"] = "position"
    """What a cursor holds (not told): the place after the last row that was shown, so that none is
    left out whatever changes; or how many rows were shown, so that one that moves from before it to
    behind it makes another one slip through."""
    cursor_epoch: int = 0
    """Cursors of another one are not found any more (how long they last is not told)."""
    churn: _Count = 0
    """How many generated subscriptions change just before each page of a list."""
    next_host: str = ""
    """The host of `next` and `previous`. Empty: the one that was asked."""
    unknown_filters: Literal["refuse", "ignore"] = "refuse"
    """A filter that the contract does not have: 400, or all is shown (not told)."""
    odd_share: _Share = 0.05
    """How many of the generated values are told in one of the odd forms that documents show
    (§2.1): "True", `"4|"`, bundles as a comma text, blank or missing extra data, …"""
    list_extra_data: Literal["text", "object"] = "text"
    """How lists tell `extra_data` (§2.1: JSON in a text, but an object where one is retrieved)."""
    retry_after: bool = False
    """Whether 429 brings `Retry-After` (none is documented)."""
    stolen_share: _Share = 0.0
    """The part of every window that others behind the same IP address use up."""

    def __post_init__(self) -> None:
        """Raises ValueError for a zone that does not exist."""
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"zone: no IANA time zone: {self.zone!r}") from None


def read_switches(values: Mapping[str, object]) -> Switches:
    """Make switches of names and values; raises ValueError that names the wrong one."""
    return msgspec.convert(dict(values), Switches)
