"""`streams completion`: what makes a shell offer commands, options and names after Tab."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click
from click.shell_completion import BashComplete, FishComplete, ZshComplete

from streams.cli.examples import examples

if TYPE_CHECKING:
    from click.shell_completion import ShellComplete

PROGRAM: Final = "streams"
VARIABLE: Final = "_STREAMS_COMPLETE"
"""What the script sets when it asks: click answers before a command begins."""
SHELLS: Final[dict[str, type[ShellComplete]]] = {
    "bash": BashComplete,
    "zsh": ZshComplete,
    "fish": FishComplete,
}


@examples(
    "# For this shell, and from now on for every one",
    "source <(streams completion bash)",
    "echo 'source <(streams completion bash)' >> ~/.bashrc",
    "# zsh, after compinit",
    "source <(streams completion zsh)",
    "# fish",
    "streams completion fish > ~/.config/fish/completions/streams.fish",
)
@click.command()
@click.argument("shell", type=click.Choice(list(SHELLS)))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print a script with which SHELL completes commands, options and names.

    Names of connections and merchants come from the settings file; nothing else is asked.
    """
    root = context.find_root().command
    click.echo(SHELLS[shell](root, {}, PROGRAM, VARIABLE).source())
