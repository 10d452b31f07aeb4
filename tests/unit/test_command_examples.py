"""Every command's help ends with examples, and each of them is a command that is understood."""

from __future__ import annotations

import re
import shlex
from itertools import dropwhile, groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click
import pytest
from click.testing import CliRunner

from streams.cli import commands
from streams.cli.dead_letters.filters import instant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
SETTINGS = """
[connections.attentive]
[connections.klaviyo]
[connections.ometria]
[connections.yespo]
[ordergroove.api.5b1e9c0a7d3f4e2b8a6c1d0e9f8b7a65]
"""
FILE = re.compile(r"[\w./-]+\.(json|jsonl|toml|avsc)|FILE")
PLACEHOLDER = re.compile(r"[A-Z]{2,}")
"""What a text says for a name that the reader has."""
OPERATORS = frozenset({"|", "||", "&&", ">", ">>", "<", "<(", ")", ";"})
BESIDES = ("cat ", "echo ", "source ", "STREAMS_")
"""What an example may begin with that is not ours; looked at is what it calls of ours."""
ASSIGNED = re.compile(r"STREAMS_\w+=")


PAGES = (
    ROOT / "README.md",
    ROOT / "deploy" / "RUNBOOK.md",
    ROOT / "avro_schemas" / "README.md",
    *sorted((ROOT / "deploy" / "guides").glob("*.md")),
)
SPAN = re.compile(r"`(streams [^`]+)`|^(streams .+?)(?:  +#.*)?$", re.MULTILINE)
"""A command in a text, or a line of a block."""


class Place(NamedTuple):
    """A command of the tree, and the words that lead to it."""

    words: tuple[str, ...]
    command: click.Command


def walked(words: tuple[str, ...], command: click.Command) -> Iterator[Place]:
    """A command and all below it."""
    yield Place(words, command)
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from walked((*words, name), below)


TREE = tuple(walked(("streams",), commands))


def examples_of(place: Place) -> list[str]:
    """The lines below `Examples:` in what --help prints, which must be its end."""
    printed = CliRunner().invoke(commands, [*place.words[1:], "--help"])
    assert 0 == printed.exit_code, printed.output
    head, found, told = printed.output.partition("\nExamples:\n")
    assert found, f"{' '.join(place.words)} --help has no examples: `@examples` above the command"
    assert "Options:" in head
    return [line.strip() for line in told.splitlines()]


def calls(line: str) -> Iterator[list[str]]:
    """The arguments of each `streams …` of a line."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    for operators, words in groupby(lexer, OPERATORS.__contains__):
        first, *args = dropwhile(ASSIGNED.match, words)
        if not operators and first == "streams":
            yield args


@pytest.fixture(scope="module")
def met(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[tuple[str, ...]]]:
    """The commands that were called, none of which did anything, in a folder of their own."""
    met: list[tuple[str, ...]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("examples"))
        Path("streams.toml").write_text(SETTINGS)
        for each in TREE:
            if not isinstance(each.command, click.Group):
                patch.setattr(each.command, "callback", noting(each, met))
        yield met


@pytest.mark.parametrize("place", TREE, ids=lambda each: " ".join(each.words))
def test_examples_are_understood(place: Place, met: list[tuple[str, ...]]) -> None:
    """Click's own parser takes each of them, and what Tab would offer holds what they name.

    A command that does something has an example of itself, a group has some of what is below it;
    each has a line above it that says what for.
    """
    met.clear()
    lines = examples_of(place)
    for line in lines:
        if line.startswith("#"):
            continue
        assert line.startswith(("streams ", *BESIDES))
        for args in calls(line):
            make_files(args)
            before = len(met)
            found = CliRunner().invoke(commands, args)

            assert 0 == found.exit_code, f"{line}\n{found.output}\n{found.exception}"
            assert before < len(met), f"{line}: calls no command"

    assert lines[0].startswith("#")
    assert any(place.words == words[: len(place.words)] for words in met)


def make_files(args: list[str]) -> None:
    """Make the files that a command names."""
    for named in filter(FILE.fullmatch, args):
        Path(named).parent.mkdir(parents=True, exist_ok=True)
        Path(named).touch()


def noting(place: Place, met: list[tuple[str, ...]]) -> Callable[..., None]:
    """What stands in for a command: notes the call, and that Tab offers the words it is given."""

    def note(*_: object, **told: Any) -> None:
        met.append(place.words)
        if place.words[1] in {"dead-letters", "replay"}:
            for name in ("since", "until"):
                instant(told.get(name), f"--{name}", 0)
        context = click.get_current_context()
        for parameter in place.command.params:
            offered = [each.value for each in parameter.shell_complete(context, "")]
            value = told.get(parameter.name or "")
            for word in value if isinstance(value, tuple) else (value,):
                if isinstance(word, str) and any(offered) and not PLACEHOLDER.search(word):
                    assert word in offered, f"{place.words}: {parameter.name} {word}"

    return note


def told_in(page: Path) -> list[str]:
    """The commands that a page tells somebody to run, but for those that it cuts short."""
    text = page.read_text().replace("hearsay", "okendo")  # which is a source only in its guide
    found = [" ".join((span or line).split()) for span, line in SPAN.findall(text)]
    return [each for each in dict.fromkeys(found) if "…" not in each]


@pytest.mark.parametrize("page", PAGES, ids=lambda each: each.name)
def test_commands_of_the_pages_are_understood(page: Path, met: list[tuple[str, ...]]) -> None:
    """README, runbook and guides tell nobody to run what click does not take.

    Where a text only speaks of a command, by its name alone, there is one of that name.
    """
    wrong = []
    for line in told_in(page):
        for args in calls(line):
            if any(each.words[1:] == tuple(args) for each in TREE):
                continue
            make_files(args)
            met.clear()
            found = CliRunner().invoke(commands, args)
            if found.exit_code or not met:
                wrong.append(f"{line}: {found.output}")

    assert [] == wrong
