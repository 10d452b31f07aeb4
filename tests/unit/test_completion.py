"""What Tab offers: asked of the shells themselves, where they are, and of what answers them."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import BashComplete

from streams.cli import commands

ROOT = Path(__file__).parents[2]
SETTINGS = """
prefix = "shop"
[connections.klaviyo]
[connections.klaviyo-eu]
[connections.attentive]
[ordergroove.api.5b1e]
[ingest.ordergroove.77aa]
"""
OURS = {"attentive", "klaviyo", "klaviyo-eu"}
ASKED = {
    "dead-": {"dead-letters"},
    "topics ": {"create", "rewrite"},
    "worker deliver klav": {"klaviyo", "klaviyo-eu"},
    "connections pause a": {"attentive"},
    "replay plan ": OURS,
    "replay run --from ": OURS,
    "explain --destination ": OURS,
    "check --topic ": {f"shop.deliveries.{each}" for each in OURS},
    "reconcile --against o": {"ordergroove"},
    "backfill profiles --merchant ": {"5b1e", "77aa"},
    "timeline --type subscriber.c": {"subscriber.cancel", "subscriber.create"},
    "dead-letters list --source ": {"okendo", "ordergroove"},
    "dead-letters redrive --reason unknown_t": {"unknown_tier", "unknown_type"},
    "audit --action replay": {"replay", "replay.resume", "replay.run"},
    "completion ": {"bash", "zsh", "fish"},
    "sync ordergroove --comp": {"--complete"},
}
"""What is typed before Tab, and all that is offered."""

ASK = {
    "bash": (
        """
        source <(streams completion bash)
        [[ $(complete -p streams) == *"-F _streams_completion streams" ]] || exit 3
        compopt() { :; }  # which bash takes only while somebody presses Tab
        """,
        """
        COMP_WORDS=(%(words)s)
        COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 ))
        COMPREPLY=()
        _streams_completion streams
        printf '%%s\\n' "${COMPREPLY[@]}"
        """,
    ),
    "zsh": (
        """
        autoload -Uz compinit && compinit -D
        source <(streams completion zsh)
        [[ $_comps[streams] == _streams_completion ]] || exit 3
        compadd() { print -rl -- ${(P)@[-1]} }  # which zsh takes only while somebody presses Tab
        """,
        """
        words=(%(words)s)
        CURRENT=$#words
        _streams_completion
        """,
    ),
    "fish": ("streams completion fish | source", "complete --do-complete %(line)s"),
}
"""What each shell is told first, and how it is asked for what it offers."""
THERE = ("bash", *filter(shutil.which, ("zsh", "fish")))
MARK = "---"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a settings file, a `streams` on the path, and nobody's start files."""
    here = tmp_path_factory.mktemp("completion")
    (here / "streams.toml").write_text(SETTINGS)
    (here / "bin").mkdir()
    program = here / "bin" / "streams"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -P -m streams "$@"\n')
    program.chmod(0o755)
    return here


def run(home: Path, *command: str, **variables: str) -> str:
    """What a command prints that must end well and complain of nothing."""
    path = f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("STREAMS_")}
    told = {"PATH": path, "HOME": str(home), "PYTHONPATH": str(ROOT), "TERM": "dumb"}
    found = subprocess.run(
        command,
        cwd=home,
        env=kept | told | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (0, "") == (found.returncode, found.stderr), found.stdout
    return found.stdout


def offers(home: Path, shell: str, *questions: str) -> list[set[str]]:
    """All that a shell's own completion function offers after each thing that was typed."""
    binary = shutil.which(shell)
    assert binary is not None
    first, ask = ASK[shell]
    script = [first]
    for typed in questions:
        words = [*typed.split(" ")]
        quoted = " ".join(shlex.quote(each) for each in ("streams", *words))
        script += [ask % {"words": quoted, "line": shlex.quote(f"streams {typed}")}, f"echo {MARK}"]
    own = {"bash": "--norc", "zsh": "-f", "fish": "--no-config"}[shell]
    printed = run(home, binary, own, "-c", "\n".join(script))
    blocks = printed.split(f"{MARK}\n")[:-1]
    return [{line.split("\t")[0] for line in block.splitlines() if line} for block in blocks]


@pytest.mark.parametrize("shell", THERE)
def test_shells_offer(home: Path, shell: str) -> None:
    """A shell's function, from the script that the command prints, in a shell of its own.

    Bash must be there; what answers zsh and fish is the same, so they are asked where they are.
    """
    typed = ("worker deliver klav", "dead-", "completion ")

    assert [ASKED[each] for each in typed] == offers(home, shell, *typed)


@pytest.mark.parametrize("typed", ASKED)
def test_what_is_offered(home: Path, monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
    """By what answers every shell."""
    monkeypatch.chdir(home)
    monkeypatch.delenv("STREAMS_SETTINGS", raising=False)
    *words, incomplete = typed.split(" ")
    completion = BashComplete(commands, {}, "streams", "_STREAMS_COMPLETE")

    found = completion.get_completions(words, incomplete)

    assert ASKED[typed] == {each.value for each in found}


def test_a_settings_file_that_is_named_is_the_one_that_is_asked(home: Path) -> None:
    """By option, or by variable; one that cannot be read offers nothing and says nothing."""
    (home / "other.toml").write_text("[connections.ometria]\n")
    (home / "broken.toml").write_text("[connections.ometria\n")

    def offered(words: str, **variables: str) -> str:
        number = str(len(words.split(" ")) - 1)
        known = {"COMP_WORDS": words, "COMP_CWORD": number, "_STREAMS_COMPLETE": "bash_complete"}
        return run(home, "streams", **known, **variables)

    assert "plain,ometria\n" == offered("streams --settings other.toml worker deliver ")
    assert "plain,ometria\n" == offered("streams worker deliver ", STREAMS_SETTINGS="other.toml")
    assert "\n" == offered("streams --settings broken.toml worker deliver ")
    assert "\n" == offered("streams --settings nowhere.toml worker deliver ")


def test_tab_loads_no_more_than_it_needs(home: Path) -> None:
    """Neither the settings' library nor any command's module where commands are completed."""
    script = """
import os, sys
os.environ |= {"COMP_WORDS": "streams ", "COMP_CWORD": "1", "_STREAMS_COMPLETE": "bash_complete"}
from streams.cli import commands
try:
    commands(prog_name="streams")
except SystemExit:
    pass
loaded = {each.split(".")[0] for each in sys.modules}
print(sorted(loaded & {"pydantic", "confluent_kafka", "faust", "fastavro", "aiohttp", "nicegui"}))
"""

    assert "[]" == run(home, sys.executable, "-P", "-c", script).splitlines()[-1]
