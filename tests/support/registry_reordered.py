"""A record's schema with its fields the other way round, so that types are declared elsewhere."""

from __future__ import annotations

import json
from typing import Any


def reordered(schema: dict[str, Any]) -> None:
    """All fields the other way round, wherever a named type is then declared first."""
    declared: dict[str, Any] = {}
    _collect(schema["fields"], declared)
    schema["fields"].reverse()
    schema["fields"] = [
        {**each, "type": _declared_again(each["type"], declared, set())}
        for each in schema["fields"]
    ]
    _once(schema["fields"], set())


def _collect(node: Any, declared: dict[str, Any]) -> None:
    if isinstance(node, list):
        for each in node:
            _collect(each, declared)
    elif isinstance(node, dict):
        if node.get("type") in ("record", "enum") and "name" in node:
            declared.setdefault(node["name"], json.loads(json.dumps(node)))
        for each in node.values():
            _collect(each, declared)


def _declared_again(node: Any, declared: dict[str, Any], within: set[str]) -> Any:
    """The type with every reference replaced by what it refers to."""
    if isinstance(node, str):
        if node in declared and node not in within:
            return _declared_again(declared[node], declared, within)
        return node
    if isinstance(node, list):
        return [_declared_again(each, declared, within) for each in node]
    node = dict(node)
    if node.get("type") == "record":
        inner = within | {node["name"]}
        node["fields"] = [
            {**each, "type": _declared_again(each["type"], declared, inner)}
            for each in node["fields"]
        ]
    else:
        for key in ("items", "values"):
            if key in node:
                node[key] = _declared_again(node[key], declared, within)
    return node


def _once(node: Any, seen: set[str]) -> Any:
    """The types with every repeated declaration replaced by its name."""
    if isinstance(node, list):
        for place, each in enumerate(node):
            node[place] = _once(each, seen)
        return node
    if not isinstance(node, dict):
        return node
    if node.get("type") in ("record", "enum") and "name" in node:
        if node["name"] in seen:
            return node["name"]
        seen.add(node["name"])
    for key in ("fields", "type", "items", "values"):
        if key in node:
            node[key] = _once(node[key], seen)
    return node
