"""The row as text that people read and programs take back: every value under its field's name.

Rows are kept positional, for room; what leaves the program is named, for sense. Both directions go
by what the row's types say of themselves, so that a new field needs nothing here. Bytes are hex,
a mapping's keys are text; tuples whose places have no names stay lists.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar, overload

import msgspec
from msgspec import inspect as told

from .member import Member
from .subscriber import Subscriber

Row = TypeVar("Row", bound=Subscriber | Member)

Named = told.StructType | told.NamedTupleType
SHAPES: dict[type, tuple[type[told.Type], ...]] = {
    Mapping: (told.StructType, told.NamedTupleType, told.DictType),
    list: (told.VarTupleType, told.ListType, told.TupleType),
    str: (told.BytesType,),
}
"""JSON's own type → the types that a value of it may stand for, where that takes work."""


def row_as_dict(row: Subscriber | Member) -> dict[str, Any]:
    """The row as JSON's own types, all fields at every level, defaults included."""
    named: dict[str, Any] = _named(row)
    return named


@overload
def row_of_dict(named: Mapping[str, Any]) -> Subscriber: ...
@overload
def row_of_dict(named: Mapping[str, Any], kind: type[Row]) -> Row: ...
def row_of_dict(named: Mapping[str, Any], kind: Any = Subscriber) -> Any:
    """The row, of a kind, of what `row_as_dict` made; a field that is left out has its default.

    Raises:
        ValueError: a field that no row has, one that is missing, or a value that does not fit;
            the message names the place and never the value.
    """
    positional = _positional(named, _row_type(kind), "$")
    try:
        return msgspec.convert(positional, kind, builtin_types=(bytes,), str_keys=True)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None


@cache
def _row_type(kind: type) -> told.Type:
    return told.type_info(kind)


def _named(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        return {name: _named(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return {name: _named(each) for name, each in zip(value._fields, value, strict=True)}
    if isinstance(value, Mapping):
        return {str(_named(key)): _named(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_named(each) for each in value]
    return value.hex() if isinstance(value, bytes) else value


def _positional(value: Any, expected: told.Type, path: str) -> Any:
    """What msgspec converts to the expected type; what does not fit is left for it to refuse."""
    if isinstance(expected, told.UnionType):
        expected = _branch(value, expected)
    if isinstance(value, Mapping):
        return _of_mapping(value, expected, path)
    if isinstance(value, list):
        return _of_list(value, expected, f"{path}[...]")
    if isinstance(value, str) and isinstance(expected, told.BytesType):
        return _unhex(value, path)
    return value


def _of_mapping(value: Mapping[str, Any], expected: told.Type, path: str) -> Any:
    if isinstance(expected, Named):
        return _fields(value, expected, path)
    if isinstance(expected, told.DictType):
        keys, values = expected.key_type, expected.value_type
        return {
            _positional(key, keys, path): _positional(each, values, f"{path}[...]")
            for key, each in value.items()
        }
    return value


def _of_list(value: list[Any], expected: told.Type, path: str) -> list[Any]:
    if isinstance(expected, told.VarTupleType | told.ListType):
        return [_positional(each, expected.item_type, path) for each in value]
    if isinstance(expected, told.TupleType) and len(expected.item_types) == len(value):
        pairs = zip(value, expected.item_types, strict=True)
        return [_positional(each, type_, path) for each, type_ in pairs]
    return value


def _unhex(text: str, path: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise ValueError(f"Expected hexadecimal digits - at `{path}`") from None


def _branch(value: Any, union: told.UnionType) -> told.Type:
    """The type of a union that has the value's shape: of named ones, that with its very fields."""
    wanted = next((types for shape, types in SHAPES.items() if isinstance(value, shape)), ())
    fitting = [each for each in union.types if isinstance(each, wanted)]
    for each in fitting:
        if isinstance(each, Named) and {field.name for field in each.fields} == value.keys():
            return each
    return fitting[0] if fitting else told.AnyType()


def _fields(value: Mapping[str, Any], expected: Named, path: str) -> Any:
    """A struct or named tuple in the shape that it is kept in."""
    unknown = value.keys() - {field.name for field in expected.fields}
    if unknown:
        raise ValueError(f"Object has fields that no row has: {', '.join(unknown)} - at `{path}`")
    by_place = isinstance(expected, told.NamedTupleType) or expected.array_like
    found: dict[str, Any] = {}
    for field in expected.fields:
        if field.name in value:
            at = f"{path}.{field.name}"
            found[field.encode_name] = _positional(value[field.name], field.type, at)
        elif field.required:
            raise ValueError(f"Object missing required field `{field.name}` - at `{path}`")
        elif by_place:
            found[field.encode_name] = _default(field)
    return list(found.values()) if by_place else found


def _default(field: told.Field) -> Any:
    """A default in the form that msgspec converts from."""
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return msgspec.to_builtins(field.default, builtin_types=(bytes,))
