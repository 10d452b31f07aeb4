"""How the console does, as Prometheus is told: its index, and who asked to be let in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from streams.console.index_file import IndexAway
from streams.metrics import counter, gauge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from prometheus_client.core import Metric

    from streams.console.index import IndexStanding

Login = Literal["accepted", "refused", "must_wait"]
"""What became of a login."""
LOGINS: Final[tuple[Login, ...]] = ("accepted", "refused", "must_wait")


def index_metrics(standing: Callable[[], IndexStanding], *, failing: bool) -> Iterator[Metric]:
    """How far the index is; nothing of a file that cannot be read now.

    Args:
        standing: asked once.
        failing: whether nothing is read now.
    """
    yield gauge(
        "console_index_failing",
        "1 while nothing is read into the console's index: Kafka, or its file, is away.",
        [],
        {(): int(failing)},
    )
    try:
        now = standing()
    except IndexAway:
        return
    if now.to_go is not None:
        yield gauge(
            "console_index_to_go",
            "Offsets of topics that the console's index has not read yet.",
            [],
            {(): now.to_go},
        )
    yield gauge(
        "console_index_bytes", "Size of the console's index on the disk.", [], {(): now.bytes}
    )


def login_metrics(logins: Mapping[Login, int]) -> Iterator[Metric]:
    """What became of logins."""
    yield counter(
        "console_logins",
        "Logins at the console by what became of them: `accepted`, `refused` (a wrong token, or no"
        " name), `must_wait` (too many wrong ones from an address).",
        ["result"],
        logins,
    )
