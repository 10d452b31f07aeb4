"""Avro bytes straight into structs, by Python source that is made once from a schema.

For records in one of our own schemas, which are nearly all: no dict between, no value looked at
twice, and what no struct has a field for is stepped over. It takes only what a plain writer makes;
whatever else the bytes hold raises, and then fastavro says whether they are good (`streams.avro`).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, NoReturn, get_origin

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Read = Callable[[bytes, int], tuple[Any, int]]
    Lines = list[str]

LAST = 0x80
"""A byte below this ends a number."""
SIZES = tuple(n >> 1 if n < LAST and not n & 1 else -1 for n in range(256))
"""First byte of a length or count → its value; -1 where more bytes follow, or it is negative."""
BOOLEANS = {0: False, 1: True}
SIX = struct.Struct("6B").unpack_from
CONTINUED = 0x810204080
"""The top bits of a number's first five bytes, where seven of each eight bits are its own."""


def decoder(schema: Any, structs: Mapping[str, type[msgspec.Struct]]) -> Read:
    """A function (bytes, start) → (struct, end) for records of a parsed schema.

    `structs`: record name → its struct, whose fields are those of the schema that have their names;
    a record that is not among them is stepped over. The function raises some exception at bytes
    that it cannot read; that `end` is the end is for the caller to see.
    """
    return _Source(structs).compiled(schema)


def number(b: bytes, p: int) -> tuple[int, int]:
    """The number at a place, and where it ends. Most of the long ones are times: six bytes."""
    try:
        b0, b1, b2, b3, b4, b5 = SIX(b, p)
    except struct.error:  # the bytes end before
        return any_number(b, p)
    if b0 & b1 & b2 & b3 & b4 >= LAST > b5:
        n = b0 + (b1 << 7) + (b2 << 14) + (b3 << 21) + (b4 << 28) + (b5 << 35) - CONTINUED
        return (n >> 1) ^ -(n & 1), p + 6
    return any_number(b, p)


def any_number(b: bytes, p: int) -> tuple[int, int]:
    """The number of at most 64 bits at a place, and where it ends."""
    n = shift = 0
    while (byte := b[p]) >= LAST:
        n |= (byte & 0x7F) << shift
        shift += 7
        p += 1
    n |= byte << shift
    if n >> 64:
        refuse()
    return (n >> 1) ^ -(n & 1), p + 1


def integer(b: bytes, p: int) -> tuple[int, int]:
    """The number of 32 bits at a place, and where it ends."""
    n, p = number(b, p)
    return (n, p) if -1 << 31 <= n < 1 << 31 else refuse()


def size(b: bytes, p: int) -> tuple[int, int]:
    """The length or count at a place, and where it ends."""
    n, p = number(b, p)
    return (n, p) if n >= 0 else refuse()


def refuse() -> NoReturn:
    """Give up on what no plain writer makes."""
    raise ValueError("not as a plain writer makes it")


class _Source:
    """The source of a schema's readers: a function a record, `read_…` or `skip_…`."""

    def __init__(self, structs: Mapping[str, type[msgspec.Struct]]) -> None:
        self._structs = structs
        self._schemas: dict[str, Any] = {}
        self._written: set[str] = set()
        self._lines: Lines = []
        self._names = dict(NAMES)

    def compiled(self, schema: Any) -> Read:
        """The reader of a record."""
        name = self._record(schema, wanted=True)
        exec("\n".join(self._lines), self._names)  # noqa: S102 - made from our own schemas alone
        read: Read = self._names[name]
        return read

    def _record(self, schema: Any, *, wanted: bool) -> str:
        """Write a record's function, once; its name."""
        self._schemas[schema["name"]] = schema
        short = schema["name"].rpartition(".")[2]
        model = self._structs.get(short) if wanted else None
        name = f"skip_{short}" if model is None else f"read_{short}"
        if name not in self._written:
            self._written.add(name)
            kept = model.__struct_fields__ if model is not None else ()
            lines = [f"def {name}(b, p):"]
            for field in schema["fields"]:
                target = f"v_{field['name']}" if field["name"] in kept else ""
                lines += _indented(self._value(field["type"], target))
            made = "" if model is None else f"{self._made(schema, model)}, "
            self._lines += [*lines, f"    return {made}p"]
        return name

    def _made(self, schema: Any, model: type[msgspec.Struct]) -> str:
        """The call that makes a struct; a field that the schema has not keeps its default."""
        self._names[model.__name__] = model
        told = {field["name"] for field in schema["fields"]}
        values = ", ".join(
            f"{field.name}=tuple(v_{field.name})"
            if get_origin(field.type) is tuple
            else f"{field.name}=v_{field.name}"
            for field in msgspec.structs.fields(model)
            if field.name in told
        )
        return f"{model.__name__}({values})"

    def _value(self, schema: Any, target: str) -> Lines:
        """The lines that read a value into a variable, or step over it where there is none."""
        if isinstance(schema, list):
            return self._union(schema, target)
        if isinstance(schema, str):
            schema = self._schemas.get(schema, schema)
        kind = schema if isinstance(schema, str) else schema["type"]
        if kind == "record":
            return self._nested(schema, target)
        if kind == "array":
            return self._array(schema["items"], target)
        if kind == "map":
            return self._map(schema["values"], target)
        if kind == "enum":
            return self._enum(schema, target)
        read, step = PRIMITIVES[kind]
        return [line.format(target) for line in read] if target else list(step)

    def _nested(self, schema: Any, target: str) -> Lines:
        name = self._record(schema, wanted=bool(target))
        if name.startswith("read"):
            return [f"{target}, p = {name}(b, p)"]
        return [f"p = {name}(b, p)", *([f"{target} = None"] if target else [])]

    def _union(self, branches: list[Any], target: str) -> Lines:
        """Ask for what is told before asking whether nothing is."""
        lines = ["u = b[p]", "p += 1"]
        order = sorted(range(len(branches)), key=lambda i: branches[i] == "null")
        for word, i in zip(["if", *["elif"] * len(order)], order, strict=False):
            inner = self._value(branches[i], target) or ["pass"]
            lines += [f"{word} u == {2 * i}:", *_indented(inner)]
        return [*lines, "else:", "    refuse()"]

    def _array(self, items: Any, target: str) -> Lines:
        one = self._value(items, f"{target}_" if target else "")
        if target:
            one.append(f"{target}.append({target}_)")
        block = ["for _ in range(n):", *_indented(one), *SIZE]
        start = [f"{target} = []"] if target else []
        return [*start, *SIZE, "while n:", *_indented(block)]

    def _map(self, values: Any, target: str) -> Lines:
        """A key before each value; one that comes again takes the place of the first."""
        read, step = PRIMITIVES["string"]
        key = [line.format(f"{target}_key") for line in read] if target else list(step)
        one = [*key, *self._value(values, f"{target}_" if target else "")]
        if target:
            one.append(f"{target}[{target}_key] = {target}_")
        inner = ["for _ in range(n):", *_indented(one), *SIZE]
        start = [f"{target} = {{}}"] if target else []
        return [*start, *SIZE, "while n:", *_indented(inner)]

    def _enum(self, schema: Any, target: str) -> Lines:
        self._schemas[schema["name"]] = schema
        name = "E_" + schema["name"].replace(".", "_")
        self._names[name] = {2 * i: symbol for i, symbol in enumerate(schema["symbols"])}
        return [f"{target} = {name}[b[p]]" if target else f"{name}[b[p]]", "p += 1"]


def _indented(lines: Lines) -> Lines:
    return [f"    {line}" for line in lines]


NAMES: Mapping[str, Any] = {
    "S": SIZES,
    "B": BOOLEANS,
    "number": number,
    "integer": integer,
    "size": size,
    "refuse": refuse,
    "double": struct.Struct("<d").unpack_from,
}
"""What the source calls by name; its `b` are the bytes, `p` is the place, `n` a size or number."""


SHORT = ["n = b[p]", "if n < 128:", "    {0} = (n >> 1) ^ -(n & 1)", "    p += 1", "else:"]
INT = [*SHORT, "    {0}, p = integer(b, p)"]
PAST_INT = ["if b[p] < 128:", "    p += 1", "else:", "    _, p = integer(b, p)"]
LONG = [*SHORT, "    {0}, p = number(b, p)"]
PAST_LONG = ["if b[p] < 128:", "    p += 1", "else:", "    _, p = number(b, p)"]
SIZE = ["n = S[b[p]]", "p += 1", "if n < 0:", "    n, p = size(b, p - 1)"]
PRIMITIVES: Mapping[str, tuple[Lines, Lines]] = {
    "null": (["{0} = None"], []),
    "boolean": (["{0} = B[b[p]]", "p += 1"], ["B[b[p]]", "p += 1"]),
    "int": (INT, PAST_INT),
    "long": (LONG, PAST_LONG),
    "double": (["{0} = double(b, p)[0]", "p += 8"], ["p += 8"]),
    "bytes": ([*SIZE, "{0} = b[p:(p := p + n)]"], [*SIZE, "p += n"]),
    "string": ([*SIZE, "{0} = b[p:(p := p + n)].decode()"], [*SIZE, "p += n"]),
}
"""Kind → the lines that read it into a variable, and those that step over it."""
