"""What tables hold of somebody who was erased: only a mark, or still a row of before."""

from __future__ import annotations

import pytest

from streams.model.ids import customer_hash
from streams.model.member import Member, encode_member
from streams.model.row_bytes import encode_row
from streams.model.subscriber import Profile, Subscriber
from streams.names import OKENDO, ORDERGROOVE
from streams.replay.marks import Marks

AT = 1_790_866_800_000
KEY = b"sixteen bytes and more"
NOOR, NINA = b"m:0088771", b"m:0099442"
NAME = customer_hash(KEY, NOOR)
SEEN = {20_000: b"123456"}
ROW = encode_row(Subscriber(profile=Profile("noor@shop-demo.io"), seen=SEEN))
MARK = encode_row(Subscriber(erased_at=AT))
BACK = encode_row(Subscriber(profile=Profile("noor@shop-demo.io"), seen=SEEN, erased_at=AT))
OTHER_VERSION = b"\xc1"


class Record:
    """A record of a changelog."""

    def __init__(self, value: bytes | None, partition: int = 0, key: bytes = NOOR) -> None:
        self._told = key, value, partition

    def key(self) -> bytes:
        """Its key."""
        return self._told[0]

    def value(self) -> bytes | None:
        """Its value."""
        return self._told[1]

    def partition(self) -> int:
        """Where it lies."""
        return self._told[2]


def looked(*records: Record, source: str = ORDERGROOVE) -> tuple[bool, bool]:
    """Whether she is marked, and whether a row of hers stands, in a changelog of these records."""
    marks = Marks(source, KEY, [NAME], AT)
    for each in records:
        marks.note(each)  # type: ignore[arg-type]  # all that is asked of it
    assert {NAME} >= marks.marked | marks.standing
    return NAME in marks.marked, NAME in marks.standing


@pytest.mark.parametrize(
    ("records", "marked", "standing"),
    [
        pytest.param([], False, False, id="nobody"),
        pytest.param([Record(ROW)], False, True, id="a row"),
        pytest.param([Record(ROW), Record(MARK)], True, False, id="a mark"),
        pytest.param([Record(MARK), Record(BACK)], True, False, id="back"),
        pytest.param([Record(ROW), Record(None)], False, False, id="deleted"),
        pytest.param([Record(OTHER_VERSION)], False, True, id="of another version"),
        pytest.param(
            [Record(encode_row(Subscriber(erased_at=AT - 1)))], False, True, id="a former mark"
        ),
        pytest.param([Record(ROW, key=NINA)], False, False, id="somebody else"),
        pytest.param([Record(ROW, 1), Record(MARK, 2)], False, True, id="row before mark"),
        pytest.param([Record(MARK, 1), Record(ROW, 2)], False, True, id="mark before row"),
    ],
)
def test_a_row_of_before_counts_wherever_it_lies(
    records: list[Record], marked: bool, standing: bool
) -> None:
    """A mark in another partition does not make up for it, whichever is read last."""
    assert (marked, standing) == looked(*records)


def test_members_have_marks_alike() -> None:
    """By their own kind of row."""
    row = encode_member(Member(own_email="noor@shop-demo.io", seen=SEEN))
    mark = encode_member(Member(erased_at=AT))

    assert (False, True) == looked(Record(row), source=OKENDO)
    assert (True, False) == looked(Record(row), Record(mark), source=OKENDO)
