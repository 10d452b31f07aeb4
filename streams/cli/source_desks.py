"""What commands must know of a source beyond its family: a new source is a new entry here.

Which sources there are says `streams.names`; which are configured, the settings' table of the
name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from streams.cli.composition import (
    derive_options_of,
    loyalty_options_of,
    loyalty_webhook_options_of,
    webhook_options_of,
)
from streams.cli.mapping import mapped_source, mapping_of
from streams.names import OKENDO, ORDERGROOVE
from streams.readings import Source, okendo_source, ordergroove_source
from streams.sources import okendo, ordergroove
from streams.sources.ordergroove.mapping import events_reader
from streams.sources.ordergroove.state import state_again

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from streams.avro import Codec
    from streams.rebuild.reading import Events, Parses
    from streams.settings import Settings


class SourceDesk(NamedTuple):
    """What the commands ask of one source, each by the settings.

    Attributes:
        options_of: (settings, when derive began with it in epoch milliseconds, what stands in for
            `derive.history`) → how its events are derived.
        reading_of: how its bodies are read to be explained.
        parses_of: kind of record → how its original body is parsed again.
        events_of: how a record is several events; gives None where each is one.
    """

    options_of: Callable[..., Any]
    reading_of: Callable[[Settings], Source]
    parses_of: Callable[[Settings], Parses]
    events_of: Callable[[Settings, Codec], Events | None] = lambda *_: None


def mapped_events_of(settings: Settings, codec: Codec) -> Events | None:
    """How a merchant's own records are read; None where they are ours."""
    told = settings.ordergroove.mapping
    if told is None:
        return None
    return events_reader(codec, mapping_of(told), webhook_options_of(settings))


def _ordergroove_reading(settings: Settings) -> Source:
    own = ordergroove_source(webhook_options_of(settings))
    return own if settings.ordergroove.mapping is None else mapped_source(own, settings)


def _ordergroove_parses(settings: Settings) -> Parses:
    reading = webhook_options_of(settings)
    return {
        "": lambda body, at: ordergroove.record_of(body, at, reading),
        "state": lambda body, at: state_again(body, at, reading),
    }


def _okendo_parses(settings: Settings) -> Parses:
    options = loyalty_webhook_options_of(settings)
    return {"": lambda body, at: okendo.record_of(okendo.Webhook(body), at, options)}


DESKS: Final[Mapping[str, SourceDesk]] = {
    ORDERGROOVE: SourceDesk(
        derive_options_of, _ordergroove_reading, _ordergroove_parses, mapped_events_of
    ),
    OKENDO: SourceDesk(
        loyalty_options_of,
        lambda settings: okendo_source(loyalty_webhook_options_of(settings)),
        _okendo_parses,
    ),
}
"""By source."""
