"""What a test changes in a simulated account behind our back: somebody at the vendor did it.

`POST /_control/changes` takes `{"changes": [...]}`. Each names a person by one identifier, and says
what becomes of them. A vendor that keeps people makes all of them or, where one is wrong, none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Change", "Changeable", "read_changes"]


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One person, changed or gone.

    Attributes:
        who: one identifier by its name at the vendor.
        set: fields of the person; null takes one away.
        properties: what is told of the person beside; null takes one away.
        gone: nobody is there any more.
    """

    who: dict[str, str]
    set: dict[str, str | None] = {}
    properties: dict[str, Any] = {}
    gone: bool = False


@runtime_checkable
class Changeable(Protocol):
    """A vendor that keeps people."""

    def change(self, changes: Sequence[Change], at: float) -> None:
        """Make these changes, at seconds since 1970; raises ValueError and makes none of them."""


def read_changes(value: object) -> list[Change]:
    """The changes of a control request; raises ValueError that names what is wrong."""
    changes = msgspec.convert(value, list[Change])
    for each in changes:
        if len(each.who) != 1:
            raise ValueError("who: give one identifier, such as an email")
    return changes
