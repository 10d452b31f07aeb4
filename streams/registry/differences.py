"""Where a writer's records fall short of a reader's schema: field by field, in plain words.

Avro's rules of resolution, as `compatibility` judges by them; but that says only yes or no and a
message, where people want the field. Names count without their namespace, as in our codecs.

https://avro.apache.org/docs/1.12.0/specification/#schema-resolution
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

WIDENS = frozenset(
    {
        ("int", "long"), ("int", "float"), ("int", "double"), ("long", "float"),
        ("long", "double"), ("float", "double"), ("string", "bytes"), ("bytes", "string"),
    }
)  # fmt: skip
"""(writer's type, reader's type) beyond equal ones."""


class Gap(NamedTuple):
    """A field of the reader that a writer's records do not fill.

    Attributes:
        path: fields with dots between; where several records are possible, with the record's name.
        why: in plain words.
        readable: the record is read all the same: the field takes its default.
    """

    path: str
    why: str
    readable: bool = False


def gaps(reader: Any, writer: Any) -> list[Gap]:
    """The gaps between two schemas, as parsed JSON, in the order of the reader's fields."""
    walk = _Walk(_named(reader, {}), _named(writer, {}))
    return list(walk.between(reader, writer, ""))


def _named(schema: Any, found: dict[str, Any]) -> dict[str, Any]:
    """The named types below a schema, by their names without namespace."""
    if isinstance(schema, list):
        for each in schema:
            _named(each, found)
    elif isinstance(schema, dict):
        if "name" in schema and schema.get("type") in {"record", "enum", "fixed", "error"}:
            found[_short(schema["name"])] = schema
        for field in schema.get("fields", ()):
            _named(field["type"], found)
        for inner in ("items", "values", "type"):
            _named(schema.get(inner), found)
    return found


def _short(name: str) -> str:
    return name.rpartition(".")[2]


class _Walk:
    def __init__(self, reader: Mapping[str, Any], writer: Mapping[str, Any]) -> None:
        self._reader, self._writer = reader, writer
        self._within: set[tuple[str, str]] = set()

    def between(self, reader: Any, writer: Any, path: str) -> Iterator[Gap]:
        """The gaps of a value."""
        readers, writers = _types(reader, self._reader), _types(writer, self._writer)
        several = sum(_kind(each) == "record" for each in readers) > 1
        for written in writers:
            read = _match(readers, written)
            if read is None:
                yield Gap(path, _no_match(readers, written, only=len(writers) == 1))
                continue
            below = (
                f"{path}.{_short(read['name'])}" if several and _kind(read) == "record" else path
            )
            yield from self._same_kind(read, written, below.lstrip("."))
        if several:
            told = {_name(each) for each in writers}
            for each in readers:
                if _kind(each) == "record" and _name(each) not in told:
                    yield Gap(
                        f"{path}.{_name(each)}".lstrip("."), "is never written", readable=True
                    )

    def _same_kind(self, reader: Any, writer: Any, path: str) -> Iterator[Gap]:
        kind = _kind(reader)
        if kind == "record":
            yield from self._record(reader, writer, path)
        elif kind == "enum":
            gone = [each for each in writer["symbols"] if each not in reader["symbols"]]
            if gone and "default" not in reader:
                yield Gap(path, f"has no {', '.join(gone)} any more")
        elif kind in {"array", "map"}:
            inner = "items" if kind == "array" else "values"
            yield from self.between(reader[inner], writer[inner], path)
        elif kind == "fixed" and reader["size"] != writer["size"]:
            yield Gap(path, f"was {writer['size']} bytes, is {reader['size']}")

    def _record(self, reader: Any, writer: Any, path: str) -> Iterator[Gap]:
        pair = (reader["name"], writer["name"])
        if pair in self._within:
            return
        self._within.add(pair)
        written = {field["name"]: field for field in writer["fields"]}
        for field in reader["fields"]:
            here = f"{path}.{field['name']}".lstrip(".")
            names = [field["name"], *field.get("aliases", ())]
            found = next((written[name] for name in names if name in written), None)
            if found is not None:
                yield from self.between(field["type"], found["type"], here)
            elif "default" in field:
                yield Gap(here, "is not written", readable=True)
            else:
                yield Gap(here, "is not written, and has no default")
        self._within.discard(pair)


def _types(schema: Any, named: Mapping[str, Any]) -> list[Any]:
    """The possible types of a value, names followed."""
    if isinstance(schema, list):
        return [found for each in schema for found in _types(each, named)]
    if isinstance(schema, str):
        return [named.get(_short(schema), schema)]
    if isinstance(schema.get("type"), dict | list):
        return _types(schema["type"], named)
    if schema["type"] in {"record", "enum", "fixed", "array", "map"}:
        return [schema]
    return _types(schema["type"], named)  # a primitive with a logical type


def _kind(schema: Any) -> str:
    kind: str = schema if isinstance(schema, str) else schema["type"]
    return kind


def _name(schema: Any) -> str:
    """What people call a type."""
    return (
        _short(schema["name"]) if isinstance(schema, dict) and "name" in schema else _kind(schema)
    )


def _match(readers: list[Any], written: Any) -> Any:
    """The reader's type that reads a written one, the nearest; None: none does."""
    same = [each for each in readers if _kind(each) == _kind(written)]
    if same and _kind(written) in {"record", "enum", "fixed"}:
        return next((each for each in same if _called(each, written)), None)
    if same:
        return same[0]
    return next((each for each in readers if (_kind(written), _kind(each)) in WIDENS), None)


def _called(reader: Any, written: Any) -> bool:
    names = {_short(each) for each in (reader["name"], *reader.get("aliases", ()))}
    return _short(written["name"]) in names


def _no_match(readers: list[Any], written: Any, *, only: bool) -> str:
    now = " or ".join(_name(each) for each in readers)
    if only:
        return f"was {_name(written)}, is {now}"
    return f"could be {_name(written)}, is {now}"
