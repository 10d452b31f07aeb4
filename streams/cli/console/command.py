"""`streams console`: the web pages. Everything is checked before it listens."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from importlib.util import find_spec
from typing import TYPE_CHECKING

import click

from streams.cli.context import Context, pass_context
from streams.cli.examples import examples
from streams.cli.logs import configure_logs
from streams.errors import ConfigurationError

if TYPE_CHECKING:
    from streams.settings import Settings

log = logging.getLogger(__name__)


@examples(
    "# On this machine: you may look and decide",
    "streams console",
    "# For others too: they are asked for a token",
    "STREAMS_CONSOLE__OPERATE_TOKEN_FILE=… streams console --host 0.0.0.0 --port 6080",
)
@click.command()
@click.option("--host", help="Address that it listens on.")
@click.option("--port", type=click.IntRange(0, 65535), help="HTTP port; 0: any free.")
@pass_context
def console(context: Context, host: str | None, port: int | None) -> None:
    """Serve the web pages: the flow, customers, dead letters, connections, replays.

    On this machine alone whoever opens it may decide, under your name; elsewhere everybody is asked
    for a token, or a proxy says who they are. Ends at SIGTERM or Ctrl-C.
    """
    settings = context.settings
    configure_logs(settings.logs)
    told = settings.console
    _run(settings, host or told.host, told.port if port is None else port)


def _run(settings: Settings, host: str, port: int) -> None:
    if find_spec("nicegui") is None:
        raise ConfigurationError(
            "streams console",
            "its web pages are not installed",
            "Install the extra: pip install 'ordergroove-streams[console]'",
        )
    # what only this command needs takes a second to load
    from streams.cli.console.access import access_of, is_local  # noqa: PLC0415

    access = access_of(settings, host)
    from streams.cli.console.desks import opened_desks  # noqa: PLC0415
    from streams.console.app import build  # noqa: PLC0415
    from streams.console.serving import listening, serve  # noqa: PLC0415

    place = listening(host, port)
    with ExitStack() as stack:
        opened = stack.enter_context(opened_desks(settings))
        app = build(
            opened.desks,
            access,
            local=is_local(host),
            ready=opened.ready,
            metrics=opened.metrics,
        )

        def said(url: str) -> None:
            click.echo(url)
            log.info("listens on %s", url)

        serve(app, place, host, said)
