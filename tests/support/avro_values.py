"""Records of a schema as a hypothesis strategy: every field, every branch, numbers of any size."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from hypothesis import strategies as st

TEXTS = st.one_of(st.text(max_size=3), st.text(min_size=60, max_size=70), st.just("é" * 9_000))
"""Short, around the length that takes a second byte, and one that takes a third."""

PRIMITIVES: dict[str, st.SearchStrategy[Any]] = {
    "null": st.none(),
    "boolean": st.booleans(),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.one_of(
        st.integers(-(2**63), 2**63 - 1),
        st.integers(-70, 70),
        st.integers(1_600_000_000_000, 1_900_000_000_000),
        st.sampled_from([sign << bits for sign in (1, -1) for bits in range(63)]),
    ),
    "double": st.floats(allow_nan=False),
    "bytes": st.binary(max_size=70),
    "string": TEXTS,
}


Known = dict[str, st.SearchStrategy[Any]]
"""Named types that were declared so far."""


def records(schema: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Records of a parsed schema, as fastavro takes them: a union's record is (name, record)."""
    return _values(schema, {})


def _values(schema: Any, known: Known) -> st.SearchStrategy[Any]:  # noqa: PLR0911 - a kind each
    if isinstance(schema, list):
        return st.one_of([_branch(each, known) for each in schema])
    kind = schema if isinstance(schema, str) else schema["type"]
    if kind in PRIMITIVES:
        return PRIMITIVES[kind]
    if kind == "array":
        return st.lists(_values(schema["items"], known), max_size=3)
    if kind == "map":
        return st.dictionaries(PRIMITIVES["string"], _values(schema["values"], known), max_size=3)
    if kind == "enum":
        known[schema["name"]] = st.sampled_from(schema["symbols"])
        return known[schema["name"]]
    if kind == "record":
        fields = {each["name"]: _values(each["type"], known) for each in schema["fields"]}
        known[schema["name"]] = st.fixed_dictionaries(fields)
        return known[schema["name"]]
    return known[kind]


def _branch(schema: Any, known: Known) -> st.SearchStrategy[Any]:
    values = _values(schema, known)
    name = schema if isinstance(schema, str) else schema.get("name")
    return values.map(lambda value: (name, value)) if name in known else values


def plain(value: Any) -> Any:
    """A value without the names of branches."""
    if isinstance(value, tuple):
        return plain(value[1])
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    return value


def as_object(value: Any) -> Any:
    """A value with attributes in place of keys."""
    if isinstance(value, list):
        return [as_object(each) for each in value]
    if isinstance(value, dict):
        return SimpleNamespace(**{name: as_object(each) for name, each in value.items()})
    return value
