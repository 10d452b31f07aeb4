"""Settings → all that the console's pages ask, opened for as long as the process runs."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

from streams.cli.auditing import audit_of
from streams.cli.codecs import schemas_of
from streams.cli.composition import kafka_of, names_of, sources_of
from streams.cli.console.connections import ConnectionsOperated
from streams.cli.console.customers import Customers
from streams.cli.console.flow import Flow
from streams.cli.console.index import filler_of, index_of
from streams.cli.console.letters import LettersOperated
from streams.cli.console.replay import ReplayOperated
from streams.cli.timeline.storytelling import Storyteller
from streams.console.access import require_inside
from streams.console.desks import Desks
from streams.console.gauges import index_metrics
from streams.model.ids import customer_hash
from streams.replay.depth import Depths

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from streams.console.access import User
    from streams.metrics import Readers
    from streams.settings import Settings
    from streams.timeline.story import Story

CLIENT: Final = "streams-console"


class Opened(NamedTuple):
    """What a console works with.

    Attributes:
        desks: that pages ask.
        ready: what stands in the way of answering, by what it is about; nothing: it is ready.
        metrics: of the index, as Prometheus is told.
    """

    desks: Desks
    ready: Callable[[], Mapping[str, str]]
    metrics: Callable[[], Readers]


class Reveals:
    """Writes down who had personal data shown (`console.desks.RevealDesk`)."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._key = settings.hash_key.get_secret_value().encode()

    def record(self, user: User, what: str, key: bytes | None) -> None:
        """Write it on the audit topic, with the customer as a keyed hash."""
        require_inside(user)
        told = {"what": what}
        if key is not None:
            told["customer"] = customer_hash(self._key, key)
        with audit_of(self._settings, user.name).action("console.show", told):
            pass


@contextmanager
def opened_desks(settings: Settings) -> Iterator[Opened]:
    """All desks, with what works in the background for them; ended together.

    Raises:
        ConfigurationError: a setting, or the index's file, is wrong.
    """
    kafka, schemas = kafka_of(settings, CLIENT), schemas_of(settings, [], wait=False)
    index = index_of(settings)
    teller, filler = Storyteller(settings, kafka, schemas), filler_of(settings, index, schemas)

    def story_of(key: bytes) -> Story:
        return teller.tell(index, key, rows=True)

    def ready() -> Mapping[str, str]:
        # whoever probes is a stranger: what exactly is wrong stands in the log
        away = "nothing is read now: Kafka, or the index's file, is away"
        return {} if filler.problem is None else {"index": away}

    def metrics() -> Readers:
        return index_metrics(index.standing, failing=filler.problem is not None)

    origins = (*sources_of(settings), *settings.connections)
    letters = Depths(kafka, [names_of(settings).dead_letters(each) for each in origins])
    flow = Flow(settings, index, letters)
    desks = Desks(
        flow=flow,
        customers=Customers(settings, index, schemas, story_of),
        letters=LettersOperated(settings),
        connections=ConnectionsOperated(settings, index, letters),
        replay=ReplayOperated(settings),
        reveal=Reveals(settings),
    )
    with ExitStack() as stack:
        for each in (filler, letters, flow):
            each.start()
            stack.callback(each.close)
        yield Opened(desks, ready, metrics)
