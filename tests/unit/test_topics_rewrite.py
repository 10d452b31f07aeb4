"""What a copy of a source topic must hold: no less than the topic itself."""

from __future__ import annotations

import pytest

from streams.engine.admin import TopicDescription
from streams.errors import ConfigurationError
from streams.names import DAY, LARGEST
from streams.replay.rewriting import check_keeps, limits_of

RETENTION, SIZE, RECORD = "retention.ms", "retention.bytes", "max.message.bytes"
POLICY = {RETENTION: str(400 * DAY), RECORD: str(LARGEST)}


def topic(name: str, config: dict[str, str]) -> TopicDescription:
    """A topic with these properties."""
    return TopicDescription(name=name, partitions=3, replication=1, config=config)


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ({RETENTION: str(1_100 * DAY)}, {RETENTION: str(1_100 * DAY)}),
        ({RETENTION: "-1"}, {RETENTION: "-1"}),
        ({RETENTION: str(30 * DAY)}, {RETENTION: str(30 * DAY)}),
        ({SIZE: "1099511627776"}, {SIZE: "1099511627776"}),
        ({RECORD: str(2 * LARGEST)}, {RECORD: str(2 * LARGEST)}),
        ({RECORD: "1000012"}, {}),
    ],
)
def test_a_copy_keeps_what_its_source_keeps(source: dict[str, str], wanted: dict[str, str]) -> None:
    """For as long, no longer, and takes records as large as any of ours."""
    old = topic("og.ordergroove.events", source)
    made = limits_of(old, POLICY)

    assert {RECORD: str(LARGEST)} | wanted == made
    check_keeps(topic("og2.ordergroove.events", made), old)


@pytest.mark.parametrize(
    ("name", "source", "target"),
    [
        (RETENTION, str(1_100 * DAY), str(400 * DAY)),
        (RETENTION, "-1", str(400 * DAY)),
        (SIZE, "-1", "1073741824"),
        (RECORD, str(LARGEST), "1000012"),
    ],
)
def test_a_topic_that_keeps_less_is_refused(name: str, source: str, target: str) -> None:
    """It would let go of records while the copy says that they are there."""
    more, less = topic("og.events", {name: source}), topic("og2.events", {name: target})

    with pytest.raises(ConfigurationError, match=f"topic og2.events: its {name} is {target}"):
        check_keeps(less, more)
    check_keeps(more, less)
