"""How a job's results are published: exactly once, or at least once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.engine.at_least_once import AtLeastOnce
from streams.engine.transactional import Transactional

if TYPE_CHECKING:
    from collections.abc import Callable

    from streams.engine.kafka import KafkaSettings
    from streams.engine.publication import Publication

__all__ = ["publication_of"]


def publication_of(
    kafka: KafkaSettings,
    transactional_id: str | None,
    at: Callable[[str], None],
    *,
    ends: bool = False,
) -> Publication:
    """Exactly once, or at least once (without a `transactional_id`).

    `ends` is for stores that keep where the changelog ends (`Transactional`). `at` is called at
    each step of a publication and of a restore, for those who test what happens when one is cut
    short.
    """
    if transactional_id is None:
        return AtLeastOnce(kafka, at=at)
    return Transactional(kafka, transactional_id, at=at, ends=ends)
