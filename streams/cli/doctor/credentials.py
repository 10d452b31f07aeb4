"""Keys that the settings name: of connections, of Ordergroove's API, of webhooks. None is tried."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from streams.cli.composition import connection_of
from streams.cli.connections.settings import credentials_of
from streams.cli.ingest import keys_of_address
from streams.cli.ordergroove_access import api_of
from streams.doctor.findings import Finding, bad, ok, warn
from streams.errors import ConfigurationError
from streams.names import SOURCES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from streams.settings import Settings


def judge_connections(settings: Settings) -> Iterator[Finding]:
    """Each connection's settings and credentials."""
    if not settings.connections:
        yield warn(
            "connections", "there is none", "Add a table such as [connections.klaviyo]: README"
        )
    for name, configured in settings.connections.items():
        try:
            connection_of(name, configured)
            there = bool(credentials_of(name, configured))
        except ConfigurationError as error:
            yield bad("connections", f"{error.setting}: {error.problem}", error.fix)
            continue
        has = "has credentials" if there else "has no credentials; as set it needs none"
        yield ok("connections", f"{name}: {configured.mode}, {has}")


def judge_sources(settings: Settings) -> Iterator[Finding]:
    """The keys by which hydrate, sync and reconcile ask, and by which ingest knows a sender."""
    for merchant in settings.ordergroove.api:
        says = f"there is a key for Ordergroove's API, merchant {merchant}"
        yield _judged("api", says, partial(api_of, settings, merchant))
    for source in SOURCES:
        for account, address in getattr(settings.ingest, source).items():
            yield _judged(
                "ingest",
                f"there are keys for /webhooks/{source}/{account}",
                partial(keys_of_address, source, account, address),
            )


def _judged(about: str, says: str, look: Callable[[], object]) -> Finding:
    try:
        look()
    except ConfigurationError as error:
        return bad(about, f"{error.setting}: {error.problem}", error.fix)
    return ok(about, says)
