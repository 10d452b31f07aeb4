"""Rows of a vendor's rules about content: who, what, when (`rules.Demand`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from .rules import EMAIL, PHONE, Broken, Demand, Sight, first, joined, values_at

if TYPE_CHECKING:
    from collections.abc import Iterator

YEAR = 366 * 86_400_000
"""Milliseconds; the longest that vendors let an event lie in the future."""


class Identified(Demand, frozen=True, kw_only=True):
    """At least one of these paths holds something: else nobody can be found."""

    any_of: tuple[str, ...]

    reason = "no_identifier"

    @property
    @override
    def says(self) -> str:
        return f"one of {', '.join(f'`{each}`' for each in self.any_of)}"

    @override
    def broken(self, sight: Sight) -> Broken | None:
        for path in self.any_of:
            if any(value for _, value in values_at(sight.body, path)):
                return None
        return Broken(self.reason, self.field)


class Holds(Demand, frozen=True, kw_only=True):
    """One of these is among the values at `path`: else nobody can be found."""

    any_of: tuple[str, ...]

    reason = "no_identifier"

    @property
    @override
    def says(self) -> str:
        return f"one of {', '.join(f'`{each}`' for each in self.any_of)} among `{self.path}`"

    @override
    def broken(self, sight: Sight) -> Broken | None:
        if any(value in self.any_of for _, value in values_at(sight.body, self.path)):
            return None
        return Broken(self.reason, self.field or self.path)


class Present(Demand, frozen=True, kw_only=True):
    """These fields are there, in each of the objects at `path`."""

    names: tuple[str, ...]

    reason = "missing_field"

    @property
    @override
    def says(self) -> str:
        return f"{', '.join(f'`{each}`' for each in self.names)} present"

    @property
    @override
    def fields(self) -> tuple[str, ...]:
        return tuple(joined(self.path, each) for each in self.names)

    @override
    def broken(self, sight: Sight) -> Broken | None:
        for where, value in values_at(sight.body, self.path):
            for name in self.names:
                if value.get(name) in {None, ""}:
                    return Broken(self.reason, joined(where, name))
        return None


class Happened(Demand, frozen=True, kw_only=True):
    """It happened no earlier than `oldest` (epoch milliseconds), nor over `ahead` from now."""

    oldest: int
    ahead: int = YEAR

    reason = "time_out_of_range"

    @property
    @override
    def says(self) -> str:
        return f"from {1970 + self.oldest // 31_556_952_000} on, at most a year ahead"

    @override
    def broken(self, sight: Sight) -> Broken | None:
        if self.oldest <= sight.occurred_at <= sight.now + self.ahead:
            return None
        return Broken(self.reason, self.field)


class OneOf(Demand, frozen=True, kw_only=True):
    """One of these values."""

    values: frozenset[str]

    reason = "unknown_value"

    @property
    @override
    def says(self) -> str:
        return f"one of {', '.join(f'`{each}`' for each in sorted(self.values))}"

    @override
    def broken(self, sight: Sight) -> Broken | None:
        found = first(values_at(sight.body, self.path), lambda value: value not in self.values)
        return None if found is None else Broken(self.reason, found)


class Plain(Demand, frozen=True, kw_only=True):
    """Each value in the object at `path` is one plain value, and none is empty."""

    reason = "attribute_value"

    @property
    @override
    def says(self) -> str:
        return "plain values, none empty"

    @override
    def broken(self, sight: Sight) -> Broken | None:
        found = first(_inside(sight.body, self.path), _not_plain)
        return None if found is None else Broken(self.reason, found)


class Texts(Demand, frozen=True, kw_only=True):
    """A flat object from text to text."""

    reason = "not_text"

    @property
    @override
    def says(self) -> str:
        return "flat, text to text"

    @override
    def broken(self, sight: Sight) -> Broken | None:
        found = first(_inside(sight.body, self.path), lambda value: not isinstance(value, str))
        return None if found is None else Broken(self.reason, found)


class Impersonal(Demand, frozen=True, kw_only=True):
    """No address and no phone number: the vendor wants ids that say nothing about anybody."""

    reason = "personal_identifier"

    @property
    @override
    def says(self) -> str:
        return "no address, no phone number"

    @override
    def broken(self, sight: Sight) -> Broken | None:
        found = first(values_at(sight.body, self.path), _personal)
        return None if found is None else Broken(self.reason, found)


def _inside(body: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The values in the objects at a path, each with its own."""
    for where, value in values_at(body, path):
        for name, each in value.items():
            yield joined(where, name), each


def _not_plain(value: Any) -> bool:
    return value is None or value == "" or isinstance(value, (list, tuple, dict))


def _personal(value: Any) -> bool:
    return isinstance(value, str) and bool(EMAIL.fullmatch(value) or PHONE.fullmatch(value))
