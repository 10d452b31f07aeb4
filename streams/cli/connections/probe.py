"""`streams connections test`: do the credentials work? One call that changes nothing there."""

from __future__ import annotations

import asyncio
import socket
import sys
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Final, NamedTuple

import click
import msgspec
from msgspec.structs import replace

from streams.cli.auditing import audit_of
from streams.cli.completers import connection_names
from streams.cli.composition import connection_of
from streams.cli.connections.deciding import check_name
from streams.cli.connections.settings import credentials_of
from streams.cli.context import Context, pass_context
from streams.cli.examples import examples
from streams.delivery.http import Http, TransportFailure
from streams.destinations import DESTINATIONS
from streams.engine.producer import REFUSED
from streams.model.delivery import Probe, Request

if TYPE_CHECKING:
    from streams.delivery.connection import Connection
    from streams.model.delivery import Destination
    from streams.settings import Settings

NOT_WELL: Final = 1
"""Exit status where the vendor refuses the credentials or cannot be reached."""

NOT_NOTED: Final = "not on the audit topic: Kafka did not take it"
_KNOCK_SECONDS: Final = 2.0

_ANY: Final = Probe(Request("GET", "/", {}, {}, ""), frozenset())


@examples(
    "# Does the vendor take the credentials?",
    "streams connections test klaviyo",
)
@click.command()
@click.argument("name", shell_complete=connection_names)
@pass_context
def test(context: Context, name: str) -> None:
    """Ask NAME's vendor whether the credentials work: ok, refused or unreachable.

    One request that reads, or is refused for having nothing in it; no customer is touched. The
    credentials are those that this command finds, which need not be those of a running worker.
    """
    told = tried(context.settings, name)
    click.echo(f"{name} at {told.url}: {told.said}")
    if told.url.startswith("http:"):
        click.echo("  without TLS, as its url says: the key can be read on the way")
    if not told.audited:
        click.echo(f"  {NOT_NOTED}", err=True)
    sys.exit(0 if told.well else NOT_WELL)


class Tried(NamedTuple):
    """What came of a test: whether all is well, what the vendor said, where, and if it is noted."""

    well: bool
    said: str
    url: str
    audited: bool


def tried(settings: Settings, name: str, by: str | None = None) -> Tried:
    """Ask a connection's vendor whether the credentials work.

    It is on the audit topic if Kafka is there; if not, it is asked all the same: nothing changes.

    Raises:
        ConfigurationError: there is no such connection, or it has no credentials.
    """
    check_name(settings, name)
    configured = settings.connections[name]
    connection = replace(
        connection_of(name, configured), credentials=credentials_of(name, configured, needed=True)
    )
    destination = DESTINATIONS[connection.destination]
    url = connection.url or destination.url
    with ExitStack() as stack:
        entry = None
        if _listens(settings.kafka.bootstrap):
            audit = audit_of(settings, by)
            with suppress(*REFUSED):  # no topic yet, or no permission: the test is no less of use
                entry = stack.enter_context(audit.action("connections.test", {"connection": name}))
        well, said = asyncio.run(ask(connection, destination))
        if entry is not None:
            entry.result["well"] = well
    return Tried(well, said, url, entry is not None)


def _listens(bootstrap: str) -> bool:
    """Whether anybody listens at one of Kafka's addresses: its client waits long for nobody."""
    for each in bootstrap.split(","):
        host, _, port = each.strip().rpartition(":")
        with suppress(OSError, ValueError):
            socket.create_connection((host.strip("[]"), int(port)), _KNOCK_SECONDS).close()
            return True
    return False


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
