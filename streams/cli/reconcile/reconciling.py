"""What a reconciliation is asked for, and what it comes to: the same against anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from streams.errors import ConfigurationError
from streams.reconcile.rows import Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from streams.reconcile.findings import Findings
    from streams.reconcile.rows import Rows, TableRows

SAMPLE: Final = 1_000
"""Rows, where nothing is said."""


class Asked(NamedTuple):
    """What is compared.

    Attributes:
        against: `ordergroove`, or a connection.
        table: of which the rows are.
        customer: only this one's row.
        sample: some rows; None, and no customer: all.
    """

    against: str
    table: str
    customer: bytes | None = None
    sample: Sample | None = None


class Work(NamedTuple):
    """What was found, and what would mend it; it is given what `--yes` says."""

    found: Findings
    repair: Callable[[int | None], None]


def asked_of(
    against: str,
    *,
    everybody: bool,
    sample: int | None,
    seed: int,
    customer: str | None,
    table: str,
) -> Asked:
    """The options as they are meant; raises `ConfigurationError`."""
    if sum((everybody, sample is not None, customer is not None)) > 1:
        raise ConfigurationError(
            "--all", "more than one of them is given", "Choose one: --all, --sample or --customer"
        )
    if customer is not None:
        merchant, colon, id_ = customer.partition(":")
        if not (merchant and colon and id_):
            raise ConfigurationError(
                "--customer", "not a customer's key", "Write it MERCHANT:CUSTOMER"
            )
        return Asked(against, table, customer=customer.encode())
    chosen = None if everybody else Sample(sample or SAMPLE, seed)
    return Asked(against, table, sample=chosen)


def rows_of(table: TableRows, asked: Asked) -> Iterable[Rows]:
    """The rows that are compared, so many at a time."""
    if asked.customer is not None:
        return [table.one(asked.customer)]
    if asked.sample is not None:
        return [table.sample(asked.sample)]
    return table.all()
