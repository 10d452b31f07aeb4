"""The console's index: exact, however it was filled and wherever it was cut short."""

from __future__ import annotations

import stat
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from streams.cli.console.index import index_path_of
from streams.console.index import Index, holds
from streams.console.index_rows import Overtaken
from streams.console.kept import DAY_MS, Outcome, packed, unpacked
from streams.console.reading import IndexTopic, Limits
from streams.errors import ConfigurationError
from streams.model.ids import customer_hash, customer_key, sync_mark
from streams.names import ORDERGROOVE
from streams.settings import load_settings
from streams.timeline.story import Came
from tests.support.console_index import (
    ERASED,
    EVENTS,
    HASH_KEY,
    LIVE,
    LOW,
    NOW,
    OUTCOME,
    OUTCOMES,
    TABLE,
    TOPICS,
    Following,
    ShopTopics,
    contents,
    files_of,
    outcome,
)
from tests.support.webhooks import MERCHANT, START

if TYPE_CHECKING:
    from pathlib import Path

AT = START * 1_000
HOUR = 3_600_000
NOOR, NINA = "0088771", "0099442"
KEY = customer_key(MERCHANT, NOOR)
EMAIL, PHONE = "noor.quill@shop-demo.io", "+12125550147"


class Killed(BaseException):
    """What ends a process."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where an index may be."""
    return tmp_path / "state" / "og-console.sqlite"


def small() -> ShopTopics:
    """Two people, each with an event, a delivery and an address."""
    shop = ShopTopics()
    for who in (NOOR, NINA):
        shop.event(who, AT)
        shop.delivery(who, AT + 1_000)
    shop.delivery(NOOR, AT + HOUR, LOW)
    shop.row(NOOR, EMAIL, PHONE, AT)
    return shop


def year(seed: int) -> tuple[ShopTopics, list[str]]:
    """Many people, of whom some are erased, and some of those come back."""
    chance, shop = Random(seed), ShopTopics()
    customers = [f"{number:07}" for number in range(30)]
    for hour in range(240):
        who = chance.choice(customers)
        at = AT + hour * HOUR
        if hour == 150:
            for gone in customers[:6]:
                shop.erase(gone, at)
        shop.event(who, at)
        for _ in range(chance.randint(0, 3)):
            shop.delivery(who, at + chance.randint(1, 9), chance.choice([LIVE, LOW]))
        if hour % 9 == 0:
            shop.row(who, f"{who}@shop-demo.io", None, at)
    return shop, customers


def test_what_came_and_what_became_of_it_stand_as_on_the_topics(path: Path) -> None:
    """Source records, outcomes and deliveries, in order, each of its customer alone."""
    shop, told = small(), Following(path)
    told.fill(shop)
    index = told.index

    [came] = index.came(ORDERGROOVE, KEY)
    assert Came(f"{EVENTS}[0] 0", AT, AT, 0, KEY, shop.records[EVENTS][0][2]) == came
    wanted = [OUTCOME.decode(shop.records[OUTCOMES][i][2]) | {"field_hashes": {}} for i in (0, 2)]
    assert wanted == index.outcomes(KEY)
    first, second = index.deliveries(KEY)
    assert ("klaviyo", LIVE, 0, 0, AT + 1_000) == first[:5]
    assert ([("streams-run", b"7")], shop.records[LIVE][0][2]) == first[5:]
    assert ("klaviyo", LOW, 0, 0) == second[:4]
    assert ([], []) == (index.came(ORDERGROOVE, b"m:nobody"), index.outcomes(b"m:nobody"))


def test_counts_a_minute(path: Path) -> None:
    """By connection and outcome, also those of people who are erased later."""
    shop = small()
    shop.erase(NOOR, AT + 2 * HOUR)
    told = Following(path)
    told.fill(shop, Random(3), 2)
    minutes = [
        (each.at, each.connection, each.outcome, each.count) for each in told.index.minutes(0)
    ]

    assert [
        (AT - AT % 60_000, "klaviyo", "delivered", 2),
        (AT - AT % 60_000 + HOUR, "klaviyo", "delivered", 1),
        (AT - AT % 60_000 + 2 * HOUR, "klaviyo", "delivered", 1),
    ] == minutes
    assert 2 == len(told.index.minutes(AT + HOUR - 60_000))


def test_when_a_vendor_was_last_asked_is_known_however_long_ago(path: Path) -> None:
    """To the millisecond, though counts of a minute are over; what asked nobody does not count."""
    shop = small()
    refused = outcome(NOOR, AT, "order.success", LIVE, 9) | {"outcome": "unauthorized"}
    for told in (refused, refused | {"outcome": "duplicate", "attempts": 0}):
        shop.records[OUTCOMES].append((AT, KEY, OUTCOME.encode(told)))
    limits = Limits(DAY_MS, DAY_MS)
    told_of = Following(path, limits=limits, now=AT + 9 * DAY_MS)
    told_of.fill(shop, Random(3), 2)
    told_of.tidy()

    assert [] == told_of.index.minutes(0)
    assert {
        ("klaviyo", "delivered"): AT + HOUR + 1_000, ("klaviyo", "unauthorized"): AT + 1_000,
    } == told_of.index.tried()  # fmt: skip


def test_found_by_whatever_names_them(path: Path) -> None:
    """Key, id, address in any case, number however it is written; a token leads to the key."""
    shop, told = small(), Following(path)
    told.fill(shop)
    index = told.index
    token = customer_hash(HASH_KEY.encode(), KEY)

    for text in (KEY.decode(), NOOR, EMAIL, EMAIL.upper(), PHONE, "(212) 555-0147", f" {NOOR} "):
        assert [(token, KEY)] == index.find(text), text
    assert KEY == index.key_of(token)
    assert (None, None) == (index.key_of("ff" * 16), index.key_of("nothing"))
    assert [] == index.find("quill") == index.find("") == index.find("noor@shop-demo.io")


def test_an_address_that_a_row_lost_finds_nobody(path: Path) -> None:
    """The newest row counts; addresses stand in the file as keyed hashes only."""
    shop, told = small(), Following(path)
    told.fill(shop)
    assert EMAIL.encode() not in files_of(path)
    assert PHONE.encode() not in files_of(path)
    shop.row(NOOR, "quill@shop-demo.io", PHONE)
    told.fill(shop)

    assert [] == told.index.find(EMAIL)
    assert [KEY] == [each.key for each in told.index.find("quill@shop-demo.io")]
    shop.records[TABLE].append((NOW, KEY, None))
    told.fill(shop)
    assert [] == told.index.find(PHONE)


@pytest.mark.parametrize("seed", range(4))
def test_followed_in_pieces_it_is_as_if_read_at_once(tmp_path: Path, seed: int) -> None:
    """Batches of any size, topics in any order, tidied in between; erased ones among them."""
    shop, customers = year(seed)
    addresses = [f"{each}@shop-demo.io" for each in customers]
    at_once = Following(tmp_path / "once.sqlite")
    at_once.fill(shop)
    in_pieces = Following(tmp_path / "pieces.sqlite")
    chance = Random(seed)
    in_pieces.fill(shop, chance, 20)
    in_pieces.tidy()

    wanted = contents(at_once.index, customers, addresses)
    assert wanted == contents(in_pieces.index, customers, addresses)
    assert sum(len(each) for each in wanted["deliveries"].values()) > 100


@pytest.mark.parametrize("step", ["began", "written", "committed"])
@pytest.mark.parametrize("nth", [1, 5])
def test_killed_at_any_step_nothing_is_missing_or_double(
    tmp_path: Path, step: str, nth: int
) -> None:
    """What was read and where it was read to are one transaction."""
    shop, customers = year(1)
    whole = Following(tmp_path / "whole.sqlite")
    whole.fill(shop)
    seen = 0

    def die(at: str) -> None:
        nonlocal seen
        seen += at == step
        if at == step and seen == nth:
            raise Killed

    path = tmp_path / "killed.sqlite"
    killed = Following(path)
    killed.writer._at = die
    with pytest.raises(Killed):
        killed.fill(shop, Random(9), 30)
    again = Following(path)
    again.fill(shop, Random(10), 30)

    assert contents(whole.index, customers) == contents(again.index, customers)


def test_two_that_write_it_do_not_double_it(path: Path) -> None:
    """The second one notices that the first was there."""
    shop = small()
    one, other = Following(path), Following(path)
    one.fill(shop)
    with pytest.raises(Overtaken):
        other.fill(shop)

    assert 2 == len(one.index.outcomes(KEY))


def test_old_days_go_and_what_is_left_stays(path: Path) -> None:
    """What came of it after the retention; the records of sources after theirs."""
    shop = small()
    shop.delivery(NINA, AT + 5 * DAY_MS)
    told = Following(path, limits=Limits(6 * DAY_MS, 400 * DAY_MS), now=AT + 3 * DAY_MS)
    told.fill(shop)
    assert 2 == len(told.index.deliveries(KEY))

    later = Following(path, limits=Limits(6 * DAY_MS, 400 * DAY_MS), now=AT + 8 * DAY_MS)
    later.tidy()
    assert ([], [], 1) == (
        later.index.deliveries(KEY), later.index.outcomes(KEY),
        len(later.index.came(ORDERGROOVE, KEY)),
    )  # fmt: skip
    nina = customer_key(MERCHANT, NINA)
    assert [AT + 5 * DAY_MS] == [each.at for each in later.index.deliveries(nina)]
    assert [AT + 5 * DAY_MS] == [
        each.at - each.at % HOUR + AT % HOUR for each in later.index.minutes(0)
    ]

    anew = Following(path.with_name("anew"), limits=later.writer.limits, now=AT + 8 * DAY_MS)
    anew.fill(shop)
    assert contents(anew.index, [NOOR, NINA]) == contents(later.index, [NOOR, NINA])


def test_who_is_kept_nowhere_is_not_known(path: Path) -> None:
    """With the last record goes the customer's key, unless a table has them."""
    shop = small()
    told = Following(path, limits=Limits(DAY_MS, DAY_MS), now=AT)
    told.fill(shop)
    later = Following(path, limits=Limits(DAY_MS, DAY_MS), now=AT + 9 * DAY_MS)
    later.tidy()
    later.writer._settled = False
    assert later.writer.settle()

    assert [KEY] == [each.key for each in later.index.find(NOOR)]  # the table's row says who it is
    assert [] == later.index.find(NINA)
    assert customer_key(MERCHANT, NINA) not in files_of(path)


def test_who_was_known_once_is_nobody_else_when_they_come_back(path: Path) -> None:
    """Their number went with them: what comes next is theirs, and goes with their erase."""
    shop = ShopTopics()
    shop.delivery(NINA, AT)
    told = Following(path, limits=Limits(DAY_MS, DAY_MS), now=AT)
    told.fill(shop)
    told.writer._clock = lambda: AT / 1_000 + 9 * 86_400
    told.tidy()
    nina, noor = customer_key(MERCHANT, NINA), KEY
    back = AT + 9 * DAY_MS
    shop.delivery(NOOR, back)
    told.fill(shop)
    shop.delivery(NINA, back + HOUR)
    told.fill(shop)

    assert [[back], [back + HOUR]] == [
        [each.at for each in told.index.deliveries(key)] for key in (noor, nina)
    ]
    assert [[noor], [nina]] == [[each.key for each in told.index.find(x)] for x in (NOOR, NINA)]
    shop.erase(NINA, back + 2 * HOUR)
    told.fill(shop)
    assert ([], [], []) == (
        told.index.find(NINA), told.index.deliveries(nina), told.index.outcomes(nina)
    )  # fmt: skip
    assert nina not in files_of(path)


def test_no_number_is_given_twice(path: Path) -> None:
    """Neither to whoever comes after the newest customer has gone."""
    shop = ShopTopics()
    shop.delivery(NINA, AT)
    told = Following(path, limits=Limits(DAY_MS, DAY_MS), now=AT)
    told.fill(shop)
    ask = "SELECT id FROM customer"
    [first] = told.writer.file.execute(ask).fetchall()
    later = Following(path, limits=Limits(DAY_MS, DAY_MS), now=AT + 9 * DAY_MS)
    later.tidy()
    shop.delivery(NOOR, AT + 9 * DAY_MS)
    later.fill(shop)

    [second] = later.writer.file.execute(ask).fetchall()
    assert first != second


def test_chunks_of_a_busy_day_are_joined(path: Path) -> None:
    """A customer of whom something comes all the time is read in a few pieces."""
    shop, told = ShopTopics(), Following(path)
    for number in range(60):
        shop.delivery(NOOR, AT + number * 1_000)
        told.fill(shop)
    before = contents(told.index, [NOOR])
    count = "SELECT count(*) FROM chunk"
    assert (60,) == told.writer.file.execute(count).fetchone()
    told.tidy()

    assert (1,) == told.writer.file.execute(count).fetchone()
    assert before == contents(told.index, [NOOR])


@pytest.mark.parametrize("by", ["both", "record", "list"])
def test_the_erased_are_gone_and_who_comes_back_is_new(path: Path, by: str) -> None:
    """By the source's erase record as by the list of the erased; the erase itself says nothing."""
    shop, told = small(), Following(path)
    told.fill(shop)
    at = AT + 2 * HOUR
    assert holds(path, customer_hash(HASH_KEY.encode(), KEY), at)
    shop.erase(NOOR, at)
    if by == "record":
        shop.records[ERASED].clear()
    if by == "list":
        shop.records[EVENTS].pop()
    told.fill(shop)
    assert not holds(path, customer_hash(HASH_KEY.encode(), KEY), at)
    assert ([], [], []) == (
        told.index.came(ORDERGROOVE, KEY), told.index.outcomes(KEY), told.index.deliveries(KEY)
    )  # fmt: skip
    token = customer_hash(HASH_KEY.encode(), KEY)
    assert None is told.index.key_of(token)
    assert [] == told.index.find(EMAIL) == told.index.find(NOOR) == told.index.find(KEY.decode())
    assert 1 == len(told.index.outcomes(customer_key(MERCHANT, NINA)))

    shop.event(NOOR, AT + HOUR)  # told of the past again: dropped
    shop.delivery(NOOR, AT + HOUR)
    shop.event(NOOR, at + HOUR)
    shop.delivery(NOOR, at + HOUR)
    shop.row(NOOR, "new@shop-demo.io")
    told.fill(shop)
    assert [at + HOUR] == [each.at for each in told.index.came(ORDERGROOVE, KEY)]
    assert [at + HOUR] == [each["occurred_at"] for each in told.index.outcomes(KEY)]
    assert [at + HOUR] == [each.at for each in told.index.deliveries(KEY)]
    assert [KEY] == [each.key for each in told.index.find("new@shop-demo.io")]
    assert [] == told.index.find(EMAIL)


def test_the_erased_are_gone_from_the_files_bytes(path: Path) -> None:
    """Their keys, their hashes and the bytes of their chunks, after pages were split and joined."""
    chance, shop, told = Random(5), ShopTopics(), Following(path)
    customers = [f"{chance.randrange(10**9):09}" for _ in range(400)]
    for number in range(3_000):
        who = chance.choice(customers)
        shop.delivery(who, AT + number * 1_000, source_event_id=chance.randbytes(400).hex())
    for who in customers:
        shop.row(who, f"{who}@shop-demo.io", None, AT)
    told.fill(shop, chance, 400)
    gone = chance.sample(customers, 60)
    ask = (
        "SELECT c.key, a.hash, k.body FROM customer c JOIN alias a ON a.customer = c.id"
        " JOIN chunk k ON k.customer = c.id WHERE c.token = ?"
    )
    traces = {
        trace
        for who in gone
        for row in told.writer.file.execute(
            ask, (told.index.naming.token(customer_key(MERCHANT, who)),)
        )
        for trace in (row[0], row[1], row[2][:40], row[2][-40:])
    }
    before = files_of(path)
    assert all(trace in before for trace in traces)
    assert len(traces) > 400
    for start in range(0, 60, 20):
        for who in gone[start : start + 20]:
            shop.erase(who, NOW)
        told.fill(shop)

    after = files_of(path)
    assert [] == [trace for trace in traces if trace in after]
    assert told.writer.settle()


def test_a_topic_made_anew_empties_it(path: Path) -> None:
    """What was read stands nowhere any more; the same topics again change nothing."""
    shop = small()
    Following(path).fill(shop)
    same = Following(path)
    assert 2 == len(same.index.outcomes(KEY))
    other = Following(path, identity="2")
    assert ([], {0}) == (other.index.outcomes(KEY), set(other.next.values()))
    assert KEY not in files_of(path)
    other.fill(shop)
    assert 2 == len(other.index.outcomes(KEY))


def test_a_table_that_was_switched_in_is_read_anew(path: Path) -> None:
    """What the former one said of addresses is forgotten; the rest stays."""
    shop, told = small(), Following(path)
    told.fill(shop)
    other = IndexTopic(f"{TABLE}.1", "table", ORDERGROOVE)
    topics = [other if each.kind == "table" else each for each in TOPICS.values()]
    switched = Following(path, topics=topics)
    shop.records[other.name] = []
    assert [] == switched.index.find(EMAIL)
    assert 2 == len(switched.index.outcomes(KEY))
    back = Following(path)
    back.fill(shop)
    assert [KEY] == [each.key for each in back.index.find(EMAIL)]


def test_how_far_it_is(path: Path) -> None:
    """Nobody has asked Kafka; then what is to go, and the newest record."""
    shop, told = small(), Following(path)
    assert (None, None) == told.index.standing()[:2]
    told.fill(shop)
    shop.delivery(NOOR, AT + HOUR)
    told.fill(shop, Random(1), 1)

    assert (0, AT + HOUR + 1_000) == told.index.standing()[:2]
    assert told.index.standing().bytes == sum(
        each.stat().st_size for each in path.parent.iterdir() if not each.name.endswith("-shm")
    )


def test_only_its_owner_reads_it(path: Path) -> None:
    """The file, and those that SQLite puts beside it."""
    shop, told = small(), Following(path)
    told.fill(shop)

    assert {0o600} == {stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}


def test_an_index_of_another_key_is_emptied(path: Path) -> None:
    """Its hashes would find nobody; what is no index is left alone."""
    told = Following(path)
    told.fill(small())
    told.writer.close()
    Index(path, "another key of enough bytes")
    assert [] == Following(path).index.outcomes(KEY)

    other = path.with_name("notes.txt")
    other.write_text("not a database, but somebody's notes" * 99)
    with pytest.raises(ConfigurationError, match=r"console\.index: it cannot be used"):
        Index(other, HASH_KEY)
    assert other.read_text().startswith("not a database")


def test_records_that_nobody_can_read_are_kept_or_passed_over(path: Path) -> None:
    """A source's is told of as a dead letter; an outcome's is not told by the topics either."""
    shop = small()
    for topic in (EVENTS, OUTCOMES, TABLE, LIVE):
        shop.records[topic].append((AT, KEY, b"\x00\x00\x00\x03\xe7no record"))
        shop.records[topic].append((AT, KEY, None))
    told = Following(path)
    told.fill(shop)

    assert [b"\x00\x00\x00\x03\xe7no record", None] == [
        each.value for each in told.index.came(ORDERGROOVE, KEY)[1:]
    ]
    assert 2 == len(told.index.outcomes(KEY))
    assert 4 == len(told.index.deliveries(KEY))


def test_marks_of_syncs_belong_to_all_customers_of_their_merchant(path: Path) -> None:
    """Those of their partition, among their own records as they came."""
    shop, other = ShopTopics(), sync_mark("m", 0)
    shop.event(NOOR, AT)
    for key in (sync_mark(MERCHANT, 7), other):
        shop.records[EVENTS].append((AT + 1, key, b"a mark"))
    shop.event(NOOR, AT + HOUR)
    told = Following(path)
    told.fill(shop, Random(2), 2)

    marked = [each.key for each in told.index.came(ORDERGROOVE, KEY)]
    assert [KEY, sync_mark(MERCHANT, 7), KEY] == marked
    assert [other] == [each.key for each in told.index.came(ORDERGROOVE, b"m:c")]
    assert [] == told.index.find("c")


def test_outcomes_have_all_fields_of_the_schema_but_hashes() -> None:
    """A field that the schema gains must be kept."""
    fields = [each["name"] for each in OUTCOME.schema["fields"]]

    assert [each for each in fields if each != "field_hashes"] == [*Outcome.__struct_fields__]
    assert [] == unpacked(packed([]))


def test_where_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Beside what else is kept on disk, or as told; a retention has a day at least."""
    monkeypatch.chdir(tmp_path)
    assert "state/og-console.sqlite" == str(index_path_of(load_settings()))
    monkeypatch.setenv("STREAMS_CONSOLE__INDEX", "/var/lib/streams/index")
    assert "/var/lib/streams/index" == str(index_path_of(load_settings()))
    monkeypatch.setenv("STREAMS_CONSOLE__RETENTION", "1h")
    with pytest.raises(ConfigurationError, match=r"console\.retention"):
        load_settings()


def test_the_standing_is_a_plain_answer(path: Path) -> None:
    """Not an error, before anything was read."""
    told: Any = Index(path, HASH_KEY).standing()

    assert (None, None) == told[:2]
