"""How benches tell right outputs from wrong ones, and what they hold them against."""

from __future__ import annotations

import pytest

from streams.avro import codec
from streams.demo.shop import OPENS, Shop
from streams.engine.partitioning import partition_of
from streams.errors import BadRecord
from streams.model.ids import customer_key
from streams.sources.ordergroove import record_of
from tests.bench.outputs import Outputs, differences, fold
from tests.bench.peers.jobs import JOBS
from tests.bench.workloads import Record, Truth, placed, reference_workload

PARTITIONS = 3
Written = tuple[str, int, bytes, bytes]


def _of(*records: Written) -> Outputs:
    outputs: Outputs = {}
    for record in records:
        fold(outputs, *record)
    return outputs


A, B, C = ("out", 0, b"jane", b"1"), ("out", 0, b"jane", b"2"), ("out", 1, b"ann", b"1")
WRONG = [
    pytest.param([A, C], "1 of 2 keys differ; records wanted 3, written 2", id="lost"),
    pytest.param([A, B, B, C], "1 of 2 keys differ; records wanted 3, written 4", id="twice"),
    pytest.param([B, A, C], "1 of 2 keys differ; records wanted 3, written 3", id="order"),
    pytest.param([("out", 0, b"jane", b"x"), B, C],
                 "1 of 2 keys differ; records wanted 3, written 3", id="another value"),
    pytest.param([A, B, ("out", 2, b"ann", b"1")],
                 "1 of 2 keys differ; records wanted 3, written 3", id="another partition"),
    pytest.param([A, B, C, ("out", 0, b"eve", b"1")],
                 "1 of 2 keys differ; records wanted 3, written 4", id="a stranger"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "said"), WRONG)
def test_wrong_outputs_are_found(written: list[Written], said: str) -> None:
    """Lost, twice, in another order, elsewhere, or nobody's."""
    found = differences(_of(A, B, C), _of(*written))

    assert [f"out: {said}"] == found


def test_the_order_between_keys_is_nobodys_promise() -> None:
    """Partitions are read in any order."""
    found = differences(_of(A, B, C), _of(C, A, B))

    assert found == []


@pytest.fixture(scope="module")
def shop() -> list[Record]:
    """Records of the demo's shop, the fifth cut short."""
    encode = codec("sources/ordergroove").encode
    made: list[tuple[bytes, bytes, int]] = []
    for now, body in enumerate(Shop(7, events=300), (OPENS + 26 * 3_600) * 1_000):
        try:
            record = record_of(body, now)
        except BadRecord:
            continue
        key = customer_key(record["merchant"], record["customer_id"])
        made.append((key, encode(record)[: 40 if len(made) == 4 else None], now))
    return placed(made, PARTITIONS)


def _worked_off(table: str, records: list[Record], prefix: str) -> Outputs:
    """What an engine would write under a prefix, that takes partition after partition."""
    job, rows = JOBS[table](prefix), dict[bytes, bytes | None]()
    outputs: Outputs = {}
    for key, value, place in sorted(records, key=lambda record: record.place[:2]):
        result = job.apply(key, value, rows.get(key), place)
        rows[key] = result.row
        for topic, to, written in result.outputs:
            name = topic.removeprefix(prefix)
            fold(outputs, name, partition_of(to, PARTITIONS), to, written)
    return outputs


def test_the_truth_is_what_a_run_writes_under_any_prefix(shop: list[Record]) -> None:
    """A dead letter names the run's own source topic; nothing else knows the prefix."""
    truth = Truth("product", PARTITIONS, shop)
    found = _worked_off("product", shop, "run-1")

    assert differences(truth.under("run-1"), found) == []
    assert differences(truth.under("run-2"), found) == [
        ".dead-letters.ordergroove: 2 of 1 keys differ; records wanted 1, written 1"
    ]
    assert truth.outputs == sum(count for count, _ in found.values())


def test_the_reference_jobs_truth_is_what_a_run_writes() -> None:
    """Of so many of the records as a slow engine gets, too."""
    workload = reference_workload(PARTITIONS, 500, 20)
    truth = workload.truth(200).under("run")

    assert differences(truth, _worked_off("reference", workload.records[:200], "run")) == []
    assert differences(truth, _worked_off("reference", workload.records[:199], "run")) != []


def test_records_have_the_places_that_the_brokers_give_them() -> None:
    """Dead letters hold them."""
    made = [(b"jane", b"1", 5), (b"ann", b"1", 6), (b"jane", b"2", 7)]
    found = placed(made, PARTITIONS)

    assert [(key, partition_of(key, PARTITIONS)) for key, _, _ in made] == [
        (record.key, record.place.partition) for record in found
    ]
    assert [(0, 5), (0, 6), (1, 7)] == [record.place[1:] for record in found]
