"""`streams reconcile`: our rows beside what Ordergroove or a vendor has of the same people."""

from __future__ import annotations

import sys
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from streams.cli.completers import reconcilable
from streams.cli.confirmation import yes_option
from streams.cli.context import Context, pass_context
from streams.cli.examples import examples
from streams.cli.reconcile.lines import example_lines, summary_lines, write_report
from streams.cli.reconcile.reconciling import Asked, asked_of
from streams.cli.reconcile.source import against_source
from streams.cli.reconcile.vendor import against_vendor
from streams.cli.table.command import TABLES
from streams.errors import ConfigurationError
from streams.ingest.ordergroove_api import ApiAway, ApiUnexpected
from streams.names import ORDERGROOVE
from streams.reconcile.asking import VendorAway
from streams.replay.transaction import TakenOver

if TYPE_CHECKING:
    from streams.settings import Settings

DRIFT: Final = 1
"""Exit status where something differs, repaired or not."""


class Unanswered(click.ClickException):
    """Somebody who must be asked gives no answer."""

    exit_code = 69


class Refused(click.ClickException):
    """Another command took over."""

    exit_code = 75


@examples(
    "# A thousand rows beside what a vendor has",
    "streams reconcile --against klaviyo",
    "# Everybody, beside Ordergroove's API, with every field that differs",
    "streams reconcile --against ordergroove --all --report differences.jsonl",
    "# One customer",
    "streams reconcile --against attentive --customer 5b1e9c0a7d3f4e2b8a6c1d0e9f8b7a65:0088771",
    "# Mend what can be mended, once the number that it shows is typed",
    "streams reconcile --against klaviyo --all --repair",
)
@click.command()
@click.option(
    "--against",
    required=True,
    metavar="ordergroove|CONNECTION",
    shell_complete=reconcilable,
    help="Whom to ask.",
)
@click.option("--all", "everybody", is_flag=True, help="Compare every row.")
@click.option("--sample", type=click.IntRange(1), metavar="N", help="Some rows. Default: 1000.")
@click.option("--seed", type=click.IntRange(0), default=0, help="Which: same seed, same people.")
@click.option("--customer", metavar="MERCHANT:CUSTOMER", help="Compare this one.")
@click.option(
    "--table",
    type=click.Choice(list(TABLES)),
    default="subscribers",
    show_default=True,
    help="Subscribers of Ordergroove, or members of Okendo Loyalty.",
)
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write every field that differs, a JSON object a line.",
)
@click.option("--unmasked", is_flag=True, help="Show who it is.")
@click.option("--repair", is_flag=True, help="Then mend what can be mended, after a confirmation.")
@yes_option
@pass_context
def reconcile(
    context: Context,
    /,
    against: str,
    report: Path | None,
    *,
    unmasked: bool,
    repair: bool,
    yes: int | None,
    **told: Any,
) -> None:
    """Compare rows with what Ordergroove's API or a vendor has: per field, with the reason.

    Whoever differs is looked at twice. --repair sends profiles again through the low lane; against
    ordergroove it writes what the API says to the source. Exit status 1 where something differs.
    """
    asked = asked_of(against, **told)
    if yes is not None and not repair:
        raise ConfigurationError("--yes", "it confirms a repair", "Say --repair, or leave it out")
    unmasked = unmasked or asked.customer is not None
    try:
        work = _work(context.settings, asked)
        lines = summary_lines(against, work.found), example_lines(work.found, unmasked=unmasked)
        click.echo("\n".join(chain(*lines)))
        if report is not None:
            _write(report, against, work, unmasked=unmasked)
        if repair:
            work.repair(yes)
    except (VendorAway, ApiAway, ApiUnexpected) as error:
        raise Unanswered(str(error)) from None
    except TakenOver as error:
        raise Refused(str(error)) from None
    if work.found.drifts:
        sys.exit(DRIFT)


def _work(settings: Settings, asked: Asked) -> Any:
    if asked.against != ORDERGROOVE:
        return against_vendor(settings, asked)
    return against_source(settings, asked)


def _write(report: Path, against: str, work: Any, *, unmasked: bool) -> None:
    try:
        write_report(report, against, work.found, unmasked=unmasked)
    except OSError as error:
        raise ConfigurationError(
            "--report", f"the file cannot be written ({error.strerror})", "Name one that can"
        ) from None
