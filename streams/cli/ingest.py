"""`streams ingest`: the role that receives webhooks. Everything is checked before it listens."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click
from msgspec.structs import replace

from streams.cli.codecs import schemas_of
from streams.cli.composition import (
    intake_of,
    kafka_of,
    loyalty_webhook_options_of,
    names_of,
    sources_of,
    webhook_options_of,
)
from streams.cli.context import Context, pass_context
from streams.cli.erase.erased import following_erased
from streams.cli.examples import examples
from streams.cli.logs import configure_logs
from streams.engine.admin import partition_count
from streams.engine.away import await_broker
from streams.engine.producer import REFUSED, RecordProducer
from streams.errors import ConfigurationError
from streams.health import starting_pages
from streams.ingest.gauges import ingest_metrics
from streams.ingest.keys import Keys
from streams.ingest.receiver import Receiver, Route
from streams.ingest.server import application, run, serve
from streams.ingest.signatures import signed_by_okendo, signed_by_ordergroove, usable_secret
from streams.metrics import metrics_page, registry_of
from streams.names import OKENDO, ORDERGROOVE, SOURCES
from streams.sources import okendo as okendo_source
from streams.sources import ordergroove as ordergroove_source

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from streams.registry import Schemas
    from streams.settings import Settings
    from streams.settings.ingest import Address

    Reading = Callable[[Mapping[str, str], bytes, int], dict[str, Any]]

log = logging.getLogger(__name__)


@examples(
    "# Where ingest.host and ingest.port say",
    "streams ingest",
    "# A second one on this machine",
    "streams ingest --port 6068",
)
@click.command()
@click.option("--port", type=click.IntRange(0, 65535), help="HTTP port.")
@pass_context
def ingest(context: Context, port: int | None) -> None:
    """Webhooks → source topics: whoever signed one is told 200 once Kafka has it."""
    settings = context.settings
    configure_logs(settings.logs)
    told, kafka = settings.ingest, kafka_of(settings, "streams-ingest")
    keys = {
        place: keys_of_address(*place, address) for place, address in _addresses(settings).items()
    }
    sources = sorted({source for source, _ in keys})
    names, own_port = names_of(settings), told.port if port is None else port
    intakes = [intake_of(settings, each) for each in sources]
    topics = [*intakes, *map(names.dead_letters, sources)]
    with starting_pages(told.host, own_port):
        schemas = schemas_of(settings, topics, wait=True)
        await_broker(kafka)
    for topic in topics:
        partition_count(kafka, topic)  # a missing topic is said now, not to the first webhook
    routes = {
        f"/webhooks/{source}/{account}": _route(settings, schemas, source, account, each)
        for (source, account), each in keys.items()
    }
    producer = RecordProducer(kafka)
    with following_erased(settings, kafka) as erased:
        receiver = Receiver(
            routes,
            producer,
            time.time,
            patience=told.patience.total_seconds(),
            refused=REFUSED,
            hides=erased.hides,
        )
        registry = registry_of(partial(ingest_metrics, receiver.answers))
        app = application(
            receiver,
            max_body=told.max_body,
            metrics=partial(metrics_page, registry),
        )
        run(_serve(app, told.host, own_port, sorted(routes)))
    producer.flush()
    producer.close()


async def _serve(app: Any, host: str, port: int, paths: list[str]) -> None:
    """Serve until SIGTERM or SIGINT; requests under way are answered first."""
    stopping, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    async with serve(app, host, port) as url:
        log.info("listens on %s: %s", url, ", ".join(paths))
        await stopping.wait()


def _addresses(settings: Settings) -> dict[tuple[str, str], Address]:
    told = settings.ingest
    found = {
        (source, account): address
        for source in SOURCES
        for account, address in getattr(told, source).items()
    }
    if not found:
        raise ConfigurationError(
            "ingest", "no address is set", "Add a table such as [ingest.ordergroove.MERCHANT]"
        )
    for source, _ in found:
        if source not in sources_of(settings):
            raise ConfigurationError(source, "it is no source here", f"Add the table [{source}]")
    return found


def keys_of_address(source: str, account: str, address: Address) -> Keys:
    """The keys that sign what comes to an address; raises `ConfigurationError`."""
    setting = f"ingest.{source}.{account}.keys_file"
    return Keys(setting, address.keys_file, time.monotonic, VERIFIED[source].usable)


def _route(settings: Settings, schemas: Schemas, source: str, account: str, keys: Keys) -> Route:
    names, codec = names_of(settings), schemas.codec
    address = _addresses(settings)[source, account]
    tolerance = settings.ingest.tolerance.total_seconds()
    verify, record_of = VERIFIED[source].verify, VERIFIED[source].reading_of(settings, account)

    def verified(headers: Mapping[str, str], body: bytes, now: float) -> None:
        verify(headers, body, keys(), now, tolerance)

    return Route(
        source=source,
        accounts=frozenset({account, *address.also}),
        verify=verified,
        record_of=record_of,
        topic=intake_of(settings, source),
        dead_letters=names.dead_letters(source),
        encode=codec(f"sources/{source}").encode,
        encode_dead_letter=codec("dead_letter").encode,
        tests=frozenset(address.test_customers),
    )


class Verified(NamedTuple):
    """How a source's webhooks are believed, and read.

    Attributes:
        verify: (headers, body, keys, epoch seconds, tolerance); raises `BadSignature`.
        reading_of: (settings, the address's account) → a function of (headers, body, epoch
            milliseconds) → the record.
        usable: whether a key has the form that signatures need.
    """

    verify: Callable[[Mapping[str, str], bytes, tuple[str, ...], float, float], None]
    reading_of: Callable[[Settings, str], Reading]
    usable: Callable[[str], bool]


def _okendo_reading(settings: Settings, account: str) -> Reading:
    """What does not say its store is that of the address."""
    options = replace(loyalty_webhook_options_of(settings), store=account)

    def read(headers: Mapping[str, str], body: bytes, at: int) -> dict[str, Any]:
        return okendo_source.record_of(okendo_source.Webhook(body, headers), at, options)

    return read


def _ordergroove_reading(settings: Settings, account: str) -> Reading:
    del account  # each webhook says its merchant
    options = webhook_options_of(settings)

    def read(_: Mapping[str, str], body: bytes, at: int) -> dict[str, Any]:
        return ordergroove_source.record_of(body, at, options)

    return read


def _by_ordergroove(
    headers: Mapping[str, str], body: bytes, keys: tuple[str, ...], now: float, within: float
) -> None:
    signed_by_ordergroove(headers.get("ordergroove-signature"), body, keys, now, within)


VERIFIED: Final[Mapping[str, Verified]] = {
    ORDERGROOVE: Verified(_by_ordergroove, _ordergroove_reading, bool),
    OKENDO: Verified(signed_by_okendo, _okendo_reading, usable_secret),
}
"""By source."""
