"""`streams connections test`: do the credentials work? One call that changes nothing there."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Final

import click
import msgspec
from msgspec.structs import replace

from streams.cli.composition import connection_of
from streams.cli.connection_settings import credentials_of
from streams.cli.context import Context, pass_context
from streams.cli.deciding import check_name
from streams.delivery.http import Http, TransportFailure
from streams.destinations import DESTINATIONS
from streams.model.delivery import Probe, Request

if TYPE_CHECKING:
    from streams.delivery.connection import Connection
    from streams.model.delivery import Destination

NOT_WELL: Final = 1
"""Exit status where the vendor refuses the credentials or cannot be reached."""

_ANY: Final = Probe(Request("GET", "/", {}, {}, ""), frozenset())


@click.command()
@click.argument("name")
@pass_context
def test(context: Context, name: str) -> None:
    """Ask NAME's vendor whether the credentials work: ok, refused or unreachable.

    One request that reads, or is refused for having nothing in it; no customer is touched. The
    credentials are those that this command finds, which need not be those of a running worker.
    """
    settings = context.settings
    check_name(settings, name)
    configured = settings.connections[name]
    connection = replace(
        connection_of(name, configured), credentials=credentials_of(name, configured, needed=True)
    )
    destination = DESTINATIONS[connection.destination]
    well, told = asyncio.run(ask(connection, destination))
    url = connection.url or destination.url
    click.echo(f"{name} at {url}: {told}")
    if url.startswith("http:"):
        click.echo("  without TLS, as its url says: the key can be read on the way")
    sys.exit(0 if well else NOT_WELL)


async def ask(connection: Connection, destination: Destination) -> tuple[bool, str]:
    """Whether all is well, and what the vendor said; raises `ConfigurationError`."""
    probe = destination.probe or _ANY
    request = probe.request
    headers = destination.authorize(connection.credentials)
    http = Http(connection.url or destination.url, headers, concurrency=1)
    body = b"" if request.method == "GET" else msgspec.json.encode(request.body)
    try:
        response = await http.send(request, body)
    except TransportFailure as failure:
        return False, f"unreachable ({failure.reason})"
    finally:
        await http.aclose()
    return _judged(response.status, destination.probe)


def _judged(status: int, probe: Probe | None) -> tuple[bool, str]:
    if probe is None:
        return True, "it answers; the vendor has no call that says whether credentials work"
    if status in probe.let_in:
        return True, "ok"
    if status in {401, 403}:
        return False, f"refused (HTTP {status})"
    return False, f"unclear (HTTP {status}): neither let in nor refused; is the url right?"
