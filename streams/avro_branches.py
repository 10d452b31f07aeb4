"""Names the branch of each nullable record before fastavro writes it.

Given a plain dict for a union, fastavro validates it against every branch, which costs more than
writing it. A pair of branch name and dict says which branch it is; this makes the pairs, from the
schema alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class Branches:
    """A record's schema, compiled to what must be named in its values."""

    def __init__(self, schema: Any, known: dict[str, Branches] | None = None) -> None:
        self.name: str = schema["name"]
        known = {} if known is None else known
        known[self.name] = self
        self._fields = [
            (field["name"], *found)
            for field in schema["fields"]
            if (found := _found(field["type"], known)) is not None
        ]

    def named(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """The record with every nested record of a nullable field as (branch, record)."""
        out = dict(record)
        for name, branches, many, nullable in self._fields:
            value = out.get(name)
            if value is None or isinstance(value, tuple):
                continue
            if many:
                out[name] = [branches.named(each) for each in value]
            else:
                inner = branches.named(value)
                out[name] = (branches.name, inner) if nullable else inner
        return out


def _found(schema: Any, known: dict[str, Branches]) -> tuple[Branches, bool, bool] | None:
    """The record inside a field's type: its branches, whether it is an array, and nullable."""
    nullable = isinstance(schema, list) and "null" in schema
    if isinstance(schema, list):
        told = [each for each in schema if each != "null"]
        if len(told) != 1:
            for each in told:  # records first declared here may be named further on
                _found(each, known)
            return None
        schema = told[0]
    many = isinstance(schema, dict) and schema["type"] == "array"
    if many:
        schema = schema["items"]
    if isinstance(schema, str) and schema in known:
        return known[schema], many, nullable
    if isinstance(schema, dict) and schema.get("type") == "record":
        return Branches(schema, known), many, nullable
    return None
