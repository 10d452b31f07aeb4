"""What the console knows of a customer, and what it knows that it does not know."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from streams.avro import registry
from streams.cli.console.customers import Customers
from streams.model.ids import customer_hash, customer_key
from streams.registry import Schemas
from streams.settings import load_settings
from streams.timeline.story import Story
from tests.support.console_index import HASH_KEY, Following, ShopTopics
from tests.support.webhooks import MERCHANT, START

if TYPE_CHECKING:
    from pathlib import Path

    from streams.timeline.keeping import Kept

DAY = 86_400_000
NOOR = "0088771"
TOKEN = customer_hash(HASH_KEY.encode(), customer_key(MERCHANT, NOOR))


def kept(path: Path, to_go: int = 0) -> Kept:
    """How much of what became of Noor's deliveries is there, where so many records wait."""
    shop, told = ShopTopics(), Following(path)
    shop.event(NOOR, START * 1_000)
    told.fill(shop)
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("UPDATE position SET ending = next + ? WHERE topic = 1", (to_go,))
    desk = Customers(load_settings(), told.index, Schemas(registry()), lambda _: Story([], []))
    sight = desk.told(TOKEN)
    assert sight is not None
    return sight.kept


@pytest.mark.parametrize(
    ("retention", "days"), [(None, 30), ("7d", 7), pytest.param("400d", 90, id="as the topic")]
)
def test_outcomes_are_kept_as_long_as_the_index_and_its_topic_keep_them(
    retention: str | None, days: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stories reach further back."""
    if retention is not None:
        monkeypatch.setenv("STREAMS_CONSOLE__RETENTION", retention)
    before = int(time.time() * 1_000)
    found = kept(tmp_path / "index.sqlite")

    assert before <= found.since + days * DAY <= int(time.time() * 1_000)
    assert not found.had(before - days * DAY - 1)
    assert found.had(before - days * DAY + DAY)


@pytest.mark.parametrize(("to_go", "unread"), [(0, 0), (20_000, 0), (20_001, 20_001)])
def test_an_index_that_is_being_filled_says_how_much_is_missing(
    to_go: int, unread: int, tmp_path: Path
) -> None:
    """Not what comes every moment in a busy shop."""
    assert unread == kept(tmp_path / "index.sqlite", to_go).unread
