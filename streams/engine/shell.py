"""The Faust app around the lanes: agents, web, timers and signals with safe settings."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import faust
from faust.tables.manager import TableManager
from typing_extensions import override

from streams.engine.failure import describe
from streams.engine.ownership import Share
from streams.engine.poller import Poller
from streams.engine.transport import SCHEME, BatchSchema
from streams.engine.web import EngineWeb

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from streams.engine.batch import Batch
    from streams.engine.kafka import KafkaSettings
    from streams.engine.lane import Lane

__all__ = ["EngineApp", "build_app"]

log = logging.getLogger(__name__)


class _NoTables(TableManager):
    """Faust's table manager for an app without Faust tables: it has nothing to wait for."""

    @override
    async def on_start(self) -> None:
        """Start at once; Faust waits a second here for tables to be declared."""
        await self._update_channels()
        await self.recovery.start()


class EngineApp(faust.App):
    """A Faust app whose records come from pollers.

    Attributes:
        kafka: the connection.
        pollers: by lane name.
        failure: why the process ends, None while it runs or if it was asked to.
        on_failure: called once, on the event loop, when there is a failure.
        stall_timeout: seconds without progress after which the process ends; 0: never.
    """

    kafka: KafkaSettings
    pollers: Mapping[str, Poller]
    failure: BaseException | None = None
    on_failure: Callable[[], None]
    stall_timeout: float = 0.0
    web_host: str = "0.0.0.0"  # noqa: S104 - probes and Prometheus come from outside
    web_port: int = 0

    def fail(self, error: BaseException) -> None:
        """End the process: going on would lose or repeat something (any thread)."""
        with suppress(RuntimeError):  # the loop is closed: the process has ended already
            self.loop.call_soon_threadsafe(self._fail, error)

    @override
    async def on_stop(self) -> None:
        """Stop the pollers first: work under way ends while the agents still live."""
        await asyncio.gather(*(poller.stop() for poller in self.pollers.values()))
        await super().on_stop()

    @property
    def web_address(self) -> tuple[str, int] | None:
        """Host and port of the web server, None while it does not listen."""
        return self.web.address if isinstance(self.web, EngineWeb) else None

    def _fail(self, error: BaseException) -> None:
        if self.failure is None:
            self.failure = error
            log.critical("the process ends: %s", describe(error))
            self.on_failure()

    @override
    def _new_web(self) -> EngineWeb:
        return EngineWeb(self, host=self.web_host, port=self.web_port)

    @override
    def _create_directories(self) -> None:
        """Make none: all state is in Kafka."""


def build_app(
    app_id: str,
    kafka: KafkaSettings,
    lanes: Sequence[Lane],
    *,
    web_port: int | None = None,
    web_host: str = "0.0.0.0",  # noqa: S104 - probes and Prometheus come from outside
    stall_timeout: float = 0.0,
) -> EngineApp:
    """Build the app of one process, one agent a lane. Nothing is connected yet.

    Args:
        app_id: of the process, in Faust's own names; the consumer groups are the lanes'.
        kafka: the connection.
        lanes: with different names and topics; none at all is a process with a web server only.
        web_port: of health, metrics and control; 0 for a free one, None for no web server.
        web_host: the address to listen on.
        stall_timeout: seconds without progress after which the process ends (`watchdog`); 0: never.
    """
    app = EngineApp(
        app_id,
        broker=f"{SCHEME}://{kafka.bootstrap.split(',', maxsplit=1)[0]}",
        autodiscover=False,
        store="memory://",
        stream_wait_empty=False,
        table_standby_replicas=0,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=web_port is not None,
        TableManager=_NoTables,
        web_tables_enabled=False,
        worker_redirect_stdouts=False,
    )
    app.kafka = kafka
    app.web_host, app.web_port = web_host, web_port or 0
    app.stall_timeout = stall_timeout
    app.on_failure = lambda: None
    app.pollers = {lane.name: Poller(lane, kafka) for lane in lanes}
    for poller in app.pollers.values():
        topic = app.topic(poller.lane.topic, schema=BatchSchema(), acks=False)
        app.agent(topic, name=poller.lane.name)(_agent(poller))
    return app


def _agent(poller: Poller) -> Any:
    async def handle(batches: AsyncIterator[Batch]) -> None:
        """Feed the lane's handler, one batch at a time."""
        async for batch in batches:
            try:
                with poller.feeding():
                    await poller.lane.handler.feed(batch)
            except Exception as error:  # noqa: BLE001 - the records stay: nothing is committed
                shares = [Share(part.partition, part.epoch) for part in batch.parts]
                poller.reset(shares, describe(error), poison=True)
                batch.done()

    return handle
