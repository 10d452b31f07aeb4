"""`streams simulate`: a vendor's API on this machine, by its contract."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from streams.cli.examples import examples
from streams.errors import ConfigurationError
from streams.simulators import SIMULATORS, read_options, run


@examples(
    "# Klaviyo's API on this machine",
    "streams simulate klaviyo --port 8080",
    "# With an outage after a minute",
    "streams simulate klaviyo --port 8080 --faults deploy/rehearsals/outage.toml",
    "# Every request written down, as a line",
    "streams simulate attentive --port 0 --record requests.jsonl",
    "# Without rate limits",
    "streams simulate yespo --port 8081 --limits off",
)
@click.command()
@click.argument("vendor", type=click.Choice(sorted(SIMULATORS)))
@click.option("--port", type=int, required=True, help="Port; 0: any free, which is printed.")
@click.option("--host", default="127.0.0.1", help="Address to listen on.")
@click.option("--limits", default="1", help="Factor on the vendor's rate limits, or `off`.")
@click.option("--record", type=click.Path(path_type=Path), help="Write requests here, as lines.")
@click.option("--faults", type=click.Path(path_type=Path), help="Faults to show (TOML).")
@click.option(
    "--switch",
    "switches",
    multiple=True,
    metavar="NAME=VALUE",
    help="One of the vendor's switches; as in TOML, a text also without quotes.",
)
def simulate(  # noqa: PLR0913, PLR0917 - its options are the command line
    vendor: str,
    port: int,
    host: str,
    limits: str,
    record: Path | None,
    faults: Path | None,
    switches: tuple[str, ...],
) -> None:
    """Run VENDOR's API: strict, with its rate limits, silent drops and error bodies.

    Every key that is shaped as the vendor's (Klaviyo's begin with `pk_`) is taken, unless a switch
    names those that are.
    """
    try:
        options = read_options(limits, record, faults)
        given = dict(map(_switch, switches))
        options = replace(options, switches={**options.switches, **given})
        simulator = SIMULATORS[vendor](options)
    except (ValueError, OSError) as error:
        raise ConfigurationError("simulate", str(error), "See streams simulate --help") from None
    run(simulator, host=host, port=port, ready=click.echo)


def _switch(text: str) -> tuple[str, Any]:
    """Name and value of a switch; raises ValueError."""
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise ValueError(f"--switch: write it as NAME=VALUE: {text!r}")
    try:
        return name, tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return name, value
