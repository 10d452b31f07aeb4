"""Rows of any content as a hypothesis strategy, drawn by what the row's types say of themselves.

So a new field of the row is drawn without a word here, and whatever goes by the row's types is
tested with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from msgspec import inspect as told

from streams.model.subscriber import Subscriber

if TYPE_CHECKING:
    from collections.abc import Callable

NUMBERS = st.integers(-(2**63), 2**63 - 1)
TEXTS = st.text(max_size=5)
LEAVES: dict[type[told.Type], st.SearchStrategy[Any]] = {
    told.BoolType: st.booleans(),
    told.BytesType: st.binary(max_size=9),
    told.FloatType: st.floats(allow_nan=False, allow_infinity=False),
    told.IntType: NUMBERS,
    told.NoneType: st.none(),
    told.StrType: TEXTS,
}


def rows() -> st.SearchStrategy[Subscriber]:
    """Rows whose fields, at every level, hold anything of their types."""
    return _of(told.type_info(Subscriber))


def _of(type_: told.Type) -> st.SearchStrategy[Any]:
    make = MADE.get(type(type_))
    return LEAVES[type(type_)] if make is None else make(type_)


def _struct(type_: Any) -> st.SearchStrategy[Any]:
    return st.builds(type_.cls, **{field.name: _of(field.type) for field in type_.fields})


MADE: dict[type[told.Type], Callable[[Any], st.SearchStrategy[Any]]] = {
    told.StructType: _struct,
    told.NamedTupleType: _struct,
    told.UnionType: lambda type_: st.one_of(*map(_of, type_.types)),
    told.LiteralType: lambda type_: st.sampled_from(type_.values),
    told.DictType: lambda type_: st.dictionaries(
        _of(type_.key_type), _of(type_.value_type), max_size=2
    ),
    told.ListType: lambda type_: st.lists(_of(type_.item_type), max_size=3),
    told.VarTupleType: lambda type_: st.lists(_of(type_.item_type), max_size=3).map(tuple),
    told.TupleType: lambda type_: st.tuples(*map(_of, type_.item_types)),
}
