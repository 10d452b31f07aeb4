"""Accounts: what a vendor's limits belong to. Connections of one account share one limiter.

An account is what the operator names, or else who the credentials say we are: the same destination,
address and credentials. Its name is on the control topic, so it must give nothing away: of the
credentials it has a keyed hash only.
"""

from __future__ import annotations

import hashlib
import hmac
from time import monotonic
from typing import TYPE_CHECKING, Final

from streams.delivery.limits import Limiter
from streams.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from streams.delivery.connection import Connection
    from streams.model.rules import Limit

_DIGITS: Final = 16


class Account:
    """One account, as this process uses it.

    Attributes:
        name: the same in all processes.
        limiter: of all its connections here.
        backlogs: a connection's deliveries that wait, for each that tells.
    """

    def __init__(self, name: str, limiter: Limiter) -> None:
        self.name = name
        self.limiter = limiter
        self.backlogs: list[Callable[[], int]] = []
        self._first: Connection | None = None

    def join(self, connection: Connection, backlog: Callable[[], int] | None) -> None:
        """Take one more connection.

        Raises:
            ConfigurationError: it would use the account's limits otherwise than the others do.
        """
        first = self._first = self._first or connection
        ours, theirs = (first.limits, first.safety), (connection.limits, connection.safety)
        if ours != theirs:
            raise ConfigurationError(
                f"connections.{connection.name}.limits",
                f"{first.name} uses the same account with another share of its limits",
                "Give both the same, or, if these are two accounts, each its own `account`",
            )
        if backlog is not None:
            self.backlogs.append(backlog)

    @property
    def backlog(self) -> int | None:
        """The deliveries that wait; None: nobody tells."""
        return sum(each() for each in self.backlogs) if self.backlogs else None


class Accounts:
    """The accounts of one process, each made when its first connection asks. For one event loop."""

    def __init__(self, key: bytes, clock: Callable[[], float] = monotonic) -> None:
        """Begin without any.

        Args:
            key: of the hashes in names: secret, the same for all processes.
            clock: monotonic seconds.
        """
        self._key = key
        self._clock = clock
        self._accounts: dict[str, Account] = {}

    def __iter__(self) -> Iterator[Account]:
        return iter(self._accounts.values())

    def limiter(
        self,
        connection: Connection,
        limits: Iterable[Limit],
        backlog: Callable[[], int] | None = None,
    ) -> Limiter:
        """The limiter of a connection's account.

        Args:
            connection: that asks.
            limits: what its destination publishes.
            backlog: its deliveries that wait, not yet read ones included; by it processes divide
                an account that is too slow for both. None: they divide it evenly.

        Raises:
            ConfigurationError: another connection of the account uses another share of the limits.
        """
        name = account_name(connection, self._key)
        account = self._accounts.get(name)
        if account is None:
            limiter = Limiter(
                limits, factor=connection.limits, safety=connection.safety, clock=self._clock
            )
            self._accounts[name] = account = Account(name, limiter)
        account.join(connection, backlog)
        return account.limiter


def account_name(connection: Connection, key: bytes) -> str:
    """The name of a connection's account: of the destination, and what tells its accounts apart."""
    if connection.account is not None:
        return f"{connection.destination}.{connection.account}"
    told = "\0".join((connection.destination, connection.url or "", connection.credentials))
    digest = hmac.new(key, told.encode(), hashlib.sha256).hexdigest()
    return f"{connection.destination}-{digest[:_DIGITS]}"
