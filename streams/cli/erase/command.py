"""`streams erase`: somebody is forgotten, here and at the vendors, with a certificate of it."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from streams.cli.auditing import audit_of
from streams.cli.codecs import schemas_of
from streams.cli.composition import intake_of, kafka_of, names_of
from streams.cli.confirmation import confirm, yes_option
from streams.cli.context import Context, pass_context
from streams.cli.dead_letters.command import Refused
from streams.cli.erase.erased import hash_key_of
from streams.cli.erase.search import CLIENT, Plan, Who, checked, plan_lines, searched
from streams.cli.erase.status import Begun, begun_by, state_of, written
from streams.cli.examples import examples
from streams.cli.mapping import check_customers_own_keys
from streams.cli.worker.rehearsal import rehearsal
from streams.errors import ConfigurationError
from streams.model.ids import customer_hash
from streams.replay.certificate import certificate, certificate_lines
from streams.replay.erasing import Writes, begin_records
from streams.replay.redrive import purge
from streams.replay.transaction import TakenOver, Transactions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streams.replay.certificate import Erasure
    from streams.settings import Settings

NOBODY: Final = 1
"""Exit status where Kafka answered and nobody was found."""
_WAIT_SECONDS: Final = 30.0
_LOOK_SECONDS: Final = 1.0


@examples(
    "# What is known of somebody; the number that it shows erases it",
    "streams erase --email noor.quill@shop-demo.io",
    "# In a script, with the number that was shown, and a certificate",
    "streams erase --phone +13125550148 --yes 1 --certificate erased.json",
    "# A customer of whom nothing need be known",
    "streams erase --customer 5b1e9c0a7d3f4e2b8a6c1d0e9f8b7a65:0088771",
    "# How far that is",
    "streams erase --status 3f8c2a7e51d04b6f9a0e7c1d2b3a4f56",
)
@click.command()
@click.option("--email", help="Everybody with this e-mail address.")
@click.option("--phone", help="Everybody with this phone number.")
@click.option("--customer", metavar="MERCHANT:ID", help="This customer, known or not.")
@click.option("--status", "run", metavar="RUN|HASH", help="How far an erase is; nothing is done.")
@click.option(
    "--certificate",
    "file",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write the certificate here too, as JSON.",
)
@click.option(
    "--wait",
    type=click.FloatRange(0),
    help="Seconds for workers to have done it, before the certificate is printed. Default: 30; with"
    " --status 0.",
)
@yes_option
@pass_context
def erase(  # noqa: PLR0913 - one for each option
    context: Context,
    /,
    *,
    email: str | None,
    phone: str | None,
    customer: str | None,
    run: str | None,
    file: Path | None,
    wait: float | None,
    yes: int | None,
) -> None:
    """Forget somebody: their rows, what waits for them, dead letters; and ask the vendors to.

    Members of a loyalty programme are found by the e-mail addresses of the customers. What was
    created before is dropped from now on, wherever it comes from; what is younger is kept.
    """
    settings, who = context.settings, Who(email, phone, customer)
    if run is not None:
        if any(who) or yes is not None:
            raise ConfigurationError("--status", "it only looks", "Leave the rest out")
        _certify(_awaited(settings, begun_by(settings, run), wait or 0.0), file)
        return
    check_customers_own_keys(settings, "erase")
    who = checked(settings, who)
    plan = searched(settings, who)
    for line in plan_lines(settings, plan):
        click.echo(line)
    if not plan.people:
        click.echo("nobody was found; who was erased before is found by --customer", err=True)
        sys.exit(NOBODY)
    people = "customer is" if len(plan.people) == 1 else "customers are"
    confirm(len(plan.people), f"{people} erased for good", yes)
    begun = _erased(settings, who, plan)
    _certify(_awaited(settings, begun, _WAIT_SECONDS if wait is None else wait), file)


def _erased(settings: Settings, who: Who, plan: Plan) -> Begun:
    """Say it on the audit topic, settle their letters, and begin it for all at once."""
    names, at = names_of(settings), int(time.time() * 1_000)
    hash_key = hash_key_of(settings)
    sources = {each.source for each in plan.people}
    intakes = {each: intake_of(settings, each) for each in sources}
    schemas = schemas_of(settings, list(intakes.values()), wait=False)
    encode = {each: schemas.codec(f"sources/{each}").encode for each in sources}
    writes = Writes(names.erased, hash_key, intakes, encode)
    customers = {customer_hash(hash_key, each.key): each.source for each in plan.people}
    told = {"by": who.by, "at": at, "customers": customers}
    kafka = kafka_of(settings, CLIENT)
    with _alone(), audit_of(settings).action("erase", told) as entry:
        # their letters first: by address nobody finds them once derive has read the erase
        letters = Transactions(kafka, f"{settings.prefix}-dead-letters", rehearsal())
        entry.result["dead_letters"] = 0
        for topic, found in plan.letters:
            for some in purge(topic.box.topic, found, letters):
                entry.result["dead_letters"] += some
        beginning = Transactions(kafka, f"{settings.prefix}-erase", rehearsal())
        beginning.append(begin_records(plan.people, writes, at, entry.id))
        entry.result["customers"] = len(plan.people)
    return Begun(entry.id, at, customers)


@contextmanager
def _alone() -> Iterator[None]:
    """Say it where another command of the kind has begun meanwhile."""
    try:
        yield
    except TakenOver:
        problem = (
            "another erase, redrive or purge has begun meanwhile, and nobody was erased by this"
            " one: run it again"
        )
        raise Refused(problem) from None


def _awaited(settings: Settings, begun: Begun, seconds: float) -> Erasure:
    """How far it is, once nothing more comes by itself, or after so long."""
    until = time.monotonic() + seconds
    while True:
        erasure = state_of(settings, begun)
        if erasure.rests or time.monotonic() >= until:
            return erasure
        time.sleep(_LOOK_SECONDS)


def _certify(erasure: Erasure, file: Path | None) -> None:
    for line in certificate_lines(erasure):
        click.echo(line)
    if file is not None:
        file.write_bytes(written(certificate(erasure)))
