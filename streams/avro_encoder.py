"""Structs straight to Avro bytes, by Python source that is made once from a schema.

For what is written most, the enriched event: each record of the schema becomes one expression over
the attributes of a struct, so nothing is made a dict, named or probed on the way. The bytes are
those of fastavro, which stays the writer of everything else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

KEPT = 1024
"""Numbers below this are most of those that are written: their bytes are kept."""

NULL = b"\0"
TOLD = b"\2"
"""The branch of ["null", something] that is something."""


class Numbers(dict[int | None, bytes]):
    """Number → its bytes, after those of its branch in a union; None → the null branch."""

    def __init__(self, bits: int, branch: bytes = b"") -> None:
        super().__init__({None: NULL} if branch else {})
        self._bits = bits
        self._lowest, self._highest = -1 << bits - 1, (1 << bits - 1) - 1
        self._branch = branch

    def __missing__(self, number: int | None) -> bytes:
        """Write a number; raises `OverflowError` for one that the type has no room for."""
        if number is None or not self._lowest <= number <= self._highest:
            raise OverflowError(f"no number of {self._bits} bits")
        rest = number << 1 ^ number >> self._bits
        out = bytearray(self._branch)
        while rest > 0x7F:
            out.append(rest & 0x7F | 0x80)
            rest >>= 7
        out.append(rest)
        if 0 <= number < KEPT:
            self[number] = bytes(out)
        return bytes(out)


def encoder(schema: Any) -> Callable[[Any], bytes]:
    """A function object → bytes, for a record of a parsed schema.

    The object has an attribute for each field. A union is "null" and one more type, and its value
    may be None; arrays hold records. The function raises `OverflowError` for a number and
    `UnicodeEncodeError` for a text that Avro has no bytes for.
    """
    return _Source().compiled(schema)


class _Source:
    """The source of a schema's writers: a function a record, `write_…`."""

    def __init__(self) -> None:
        self._schemas: dict[str, Any] = {}
        self._lines: list[str] = []

    def compiled(self, schema: Any) -> Callable[[Any], bytes]:
        """The writer of a record."""
        name, names = self._record(schema), dict(NAMES)
        exec("\n".join(self._lines), names)  # noqa: S102 - made from our own schemas alone
        write: Callable[[Any], bytes] = names[name]
        return write

    def _record(self, schema: Any) -> str:
        """Write a record's function, once; its name."""
        schema = self._schemas.get(schema, schema) if isinstance(schema, str) else schema
        name = f"write_{schema['name'].rpartition('.')[2]}"
        if schema["name"] not in self._schemas:
            self._schemas[schema["name"]] = schema
            parts = ", ".join(
                self._value(field["type"], f"x.{field['name']}") for field in schema["fields"]
            )
            self._lines += [f"def {name}(x):", f"    return b''.join(({parts},))"]
        return name

    def _value(self, schema: Any, value: str) -> str:
        """The expression, or several, whose bytes are a value's."""
        nullable = isinstance(schema, list)
        (inner,) = (each for each in schema if each != "null") if nullable else (schema,)
        kind = inner if isinstance(inner, str) else inner["type"]
        if kind in PRIMITIVES:
            return PRIMITIVES[kind][nullable].format(value)
        if kind == "array":
            some = f"LONG[len(v)] + b''.join(map({self._record(inner['items'])}, v)) + NULL"
            if nullable:
                return f"NULL if (v := {value}) is None else TOLD + ({some} if v else NULL)"
            return f"{some} if (v := {value}) else NULL"
        write = self._record(inner)
        if nullable:
            return f"NULL if (v := {value}) is None else TOLD + {write}(v)"
        return f"{write}({value})"


NAMES: Mapping[str, Any] = {
    "NULL": NULL,
    "TOLD": TOLD,
    "BOOLEAN": {True: b"\1", False: b"\0"},
    "MAYBE_BOOLEAN": {None: NULL, True: TOLD + b"\1", False: TOLD + b"\0"},
    "INT": Numbers(32),
    "MAYBE_INT": Numbers(32, TOLD),
    "LONG": Numbers(64),
    "MAYBE_LONG": Numbers(64, TOLD),
}
"""What the source calls by name."""

PRIMITIVES: Mapping[str, tuple[str, str]] = {
    "boolean": ("BOOLEAN[{0}]", "MAYBE_BOOLEAN[{0}]"),
    "int": ("INT[{0}]", "MAYBE_INT[{0}]"),
    "long": ("LONG[{0}]", "MAYBE_LONG[{0}]"),
    "string": (
        "LONG[len(v := {0}.encode())], v",
        "NULL if (v := {0}) is None else MAYBE_LONG[len(v := v.encode())] + v",
    ),
}
"""Kind → the expressions for a value that must be told, and for one that may be None."""
