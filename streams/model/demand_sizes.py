"""Rows of a vendor's rules about form: characters, lengths, bytes (`rules.Demand`)."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from typing_extensions import override

from .rules import Broken, Demand, Sight, first, joined, nested, values_at


class Without(Demand, frozen=True, kw_only=True):
    """No such characters in the text at `path`, or in the names of all fields below it."""

    characters: frozenset[str]
    of: Literal["text", "names"] = "text"

    reason = "forbidden_character"

    @property
    @override
    def says(self) -> str:
        shown = " ".join(sorted(self.characters))
        return f"none of `{shown}`" + (" in names" if self.of == "names" else "")

    @override
    def broken(self, sight: Sight) -> Broken | None:
        for where, value in values_at(sight.body, self.path):
            if self.of == "text":
                found = None if self.characters.isdisjoint(value) else where
            else:
                found = first(_names(value, where), lambda name: not self._fits(name))
            if found is not None:
                return Broken(self.reason, found)
        return None

    def _fits(self, name: str) -> bool:
        return self.characters.isdisjoint(name)


class Length(Demand, frozen=True, kw_only=True):
    """At least `least` and at most `most` characters.

    Of the text at `path`, of all texts below it (`texts`), or of the names of its fields (`names`).
    """

    most: int
    least: int = 0
    of: Literal["text", "texts", "names"] = "text"

    @property
    @override
    def reason(self) -> str:
        return "name_length" if self.of == "names" else "text_length"

    @property
    @override
    def says(self) -> str:
        least = f"{self.least} to " if self.least else "at most "
        where = {"text": "", "texts": ", any text in it", "names": ", names"}[self.of]
        return f"{least}{self.most} characters{where}"

    @override
    def broken(self, sight: Sight) -> Broken | None:
        for where, value in values_at(sight.body, self.path):
            if self.of == "text":
                found = first([(where, value)], self._bad)
            elif self.of == "texts":
                found = first(nested(value, where), self._bad)
            else:
                found = first([(joined(where, name), name) for name in value], self._bad)
            if found is not None:
                return Broken(self.reason, found)
        return None

    def _bad(self, value: Any) -> bool:
        return isinstance(value, str) and not self.least <= len(value) <= self.most


class Bytes(Demand, frozen=True, kw_only=True):
    """At most so many bytes of JSON at `path`, or of any one text below it (`texts`)."""

    most: int
    of: Literal["whole", "texts"] = "whole"

    reason = "too_large"

    @property
    @override
    def says(self) -> str:
        return f"at most {self.most:,} bytes" + (" for a text" if self.of == "texts" else "")

    @override
    def broken(self, sight: Sight) -> Broken | None:
        if sight.size <= self.most:
            return None
        for where, value in values_at(sight.body, self.path):
            if self.of == "texts":
                found = first(nested(value, where), self._long)
                if found is not None:
                    return Broken(self.reason, found)
            elif len(msgspec.json.encode(value)) > self.most:
                return Broken(self.reason, self.field or where or None)
        return None

    def _long(self, value: Any) -> bool:
        return isinstance(value, str) and len(value.encode()) > self.most


def _names(value: Any, path: str) -> list[tuple[str, Any]]:
    """Every name of a field below a value, with the field's path."""
    return [
        (joined(where, name), name)
        for where, each in nested(value, path)
        if isinstance(each, dict)
        for name in each
    ]
