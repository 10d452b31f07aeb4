"""What can be checked about the repository itself: layers, sizes, names, schemas, locks, tests."""

from __future__ import annotations

import ast
import json
import logging
import re
import tomllib
from collections import defaultdict
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grimp
import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports
from packaging.requirements import Requirement
from packaging.version import Version

from streams.destinations import DESTINATIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
MOST_LINES = 300
FORBIDDEN_STEMS = frozenset(
    {"base", "common", "core", "functions", "helpers", "manager", "misc", "utils"}
)
MODULES = sorted(
    path.relative_to(ROOT)
    for folder in ("streams", "avro_schemas", "tests")
    for path in (ROOT / folder).rglob("*.py")
)
SCHEMAS = sorted(path.relative_to(ROOT) for path in (ROOT / "avro_schemas").rglob("*.avsc"))
LOCKS = sorted(path.relative_to(ROOT) for path in (ROOT / "deploy").glob("*.lock"))


def test_layers(capsys: pytest.CaptureFixture[str]) -> None:
    """Imports keep every contract of pyproject.toml."""
    known = [each for each in logging.root.manager.loggerDict.values() if not _is_mute(each)]
    status = lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)
    for logger in known:  # it sets up logging for itself and turns all others off
        if isinstance(logger, logging.Logger):
            logger.disabled = False

    assert EXIT_STATUS_SUCCESS == status, capsys.readouterr().out


def _is_mute(logger: object) -> bool:
    return isinstance(logger, logging.Logger) and logger.disabled


@pytest.mark.parametrize("room", ["streams.destinations", "streams.simulators"])
def test_vendors_do_not_know_each_other(room: str) -> None:
    """A module called after a vendor imports no module called after another one."""
    graph = grimp.build_graph("streams", cache_dir=None)
    vendors = set(DESTINATIONS)
    of = {module: _vendor(module, vendors) for module in graph.find_descendants(room)}
    wrong = [
        f"{module} -> {imported}"
        for module, vendor in of.items()
        for imported in graph.find_modules_directly_imported_by(module)
        if vendor and of.get(imported) and of[imported] != vendor
    ]

    assert [] == wrong


def _vendor(module: str, vendors: set[str]) -> str | None:
    first = module.split(".")[2].partition("_")[0]
    return first if first in vendors else None


def test_a_module_is_one_idea() -> None:
    """No module of the program is longer than what one reads in one go."""
    lengths = {
        str(path): len((ROOT / path).read_text(encoding="utf-8").splitlines())
        for path in MODULES
        if path.parts[0] == "streams"
    }

    assert {} == {path: lines for path, lines in lengths.items() if lines > MOST_LINES}


def test_names_say_what_is_inside() -> None:
    """No module has a name that invites everything."""
    wrong = [
        str(path) for path in MODULES if FORBIDDEN_STEMS.intersection({path.stem, *path.parts})
    ]

    assert [] == wrong


@pytest.mark.parametrize("schema", SCHEMAS, ids=str)
def test_every_field_of_a_schema_is_documented(schema: Path) -> None:
    """Each field, at any depth, says what it means."""
    declared = json.loads((ROOT / schema).read_text(encoding="utf-8"))
    undocumented = [path for path, doc in _fields(declared, "") if not doc.strip()]

    assert [] == undocumented


def _fields(schema: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield path and doc of every field below a schema."""
    if isinstance(schema, list):
        for branch in schema:
            yield from _fields(branch, path)
    elif isinstance(schema, dict):
        for field in schema.get("fields", ()):
            here = f"{path}.{field['name']}"
            yield here, field.get("doc", "")
            yield from _fields(field["type"], here)
        for inner in ("items", "values", "type"):
            yield from _fields(schema.get(inner), path)


@pytest.mark.parametrize("lock", LOCKS, ids=str)
def test_a_lock_has_hashes_and_no_addresses(lock: Path) -> None:
    """Every locked package has its digests; where it comes from is the installer's business."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    packages = text.replace("\\\n", " ").splitlines()
    unhashed = [line for line in packages if "--hash=sha256:" not in line]

    assert packages
    assert [] == unhashed
    assert [] == re.findall(r"https?://|--index-url|--extra-index-url|--find-links| @ ", text)


def test_the_locks_fit_the_project() -> None:
    """The lock files hold what pyproject.toml asks for: `./run lock` was not forgotten."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = {
        "deploy/requirements-runtime.lock": [*project["dependencies"], *extras["build"]],
        "deploy/requirements.lock": [*project["dependencies"], *chain(*extras.values())],
    }
    missing = defaultdict(list)
    for lock, requirements in wanted.items():
        pinned = re.findall(r"^([\w-]+)==([^\s;]+)", (ROOT / lock).read_text("utf-8"), re.MULTILINE)
        versions = {name: Version(version) for name, version in pinned}
        for requirement in map(Requirement, requirements):
            version = versions.get(requirement.name)
            if version is None or version not in requirement.specifier:
                missing[lock].append(str(requirement))

    assert {} == missing


def test_every_test_states_its_fact() -> None:
    """Each test function has a docstring."""
    silent = [
        f"{path}::{node.name}"
        for path in MODULES
        if path.stem.startswith("test_")
        for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and not ast.get_docstring(node)
    ]

    assert [] == silent
