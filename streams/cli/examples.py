"""What `--help` ends with: real commands, written beside the command that they show."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable

Command = TypeVar("Command", bound=click.Command)


def examples(*lines: str) -> Callable[[Command], Command]:
    """End a command's help with a section of examples; stands above `@click.command()`.

    Args:
        lines: commands as they are typed, each below a line that says what for: `# …`.
    """

    def told(command: Command) -> Command:
        def write(context: click.Context, formatter: click.HelpFormatter) -> None:
            del context
            with formatter.section("Examples"):
                for line in lines:
                    formatter.write(f"{'':{formatter.current_indent}}{line}\n")

        # Click's own epilogue has no heading, and its lines are wrapped.
        command.format_epilog = write  # type: ignore[assignment, method-assign]
        return command

    return told
