"""Nothing that reaches customers or changes state is done before somebody has typed how much it is.

A number that was read is a plan that was read: `y` is typed by the hand alone.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final, TypeVar

import click

from streams.console.typed import is_typed

if TYPE_CHECKING:
    from collections.abc import Callable

NOT_CONFIRMED: Final = 2

Command = TypeVar("Command", bound="Callable[..., object]")


class NotConfirmed(click.ClickException):
    """The number was not typed, or is another one: nothing was done."""

    exit_code = NOT_CONFIRMED


def yes_option(command: Command) -> Command:
    """Give a command the option `--yes N`, as its argument `yes`."""
    return click.option(
        "--yes",
        type=click.IntRange(0),
        metavar="N",
        help="Confirm, in scripts: the number that the plan shows; another one does nothing.",
    )(command)


def confirm(number: int, what: str, yes: int | None = None) -> None:
    """Have the number typed; returns where it was.

    Args:
        number: how many of what it is about.
        what: what will happen, to be read as "`number` `what`": customers will be messaged.
        yes: the number that was given beforehand.

    Raises:
        NotConfirmed: it was not typed, is another one, or nobody is there who could.
    """
    if yes is not None:
        if yes != number:
            raise NotConfirmed(
                f"--yes {yes} does not fit: {number:,} {what}. Nothing was done; look at the plan,"
                f" then say --yes {number}"
            )
        return
    if not sys.stdin.isatty():
        raise NotConfirmed(f"{number:,} {what}. Nothing was done; confirm with --yes {number}")
    typed = click.prompt(f"{number:,} {what}. Type {number} to go on", default="", err=True)
    if not is_typed(number, typed):
        raise NotConfirmed("Nothing was done: that was another number")
