"""A row's timer read from its bytes: the same as from the row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from hypothesis import given

from streams.model.row_bytes import due_of, encode_row, row_due
from tests.support.rows import rows

if TYPE_CHECKING:
    from streams.model.subscriber import Subscriber


@given(rows())
def test_read_from_bytes_as_from_the_row(row: Subscriber) -> None:
    """Whatever the row holds, passing over all but the timers changes nothing."""
    assert row_due(row) == due_of(encode_row(row))


def test_rows_of_earlier_versions_have_fewer_fields() -> None:
    """Fields are appended to the row: where those with timers are missing, there are none."""
    assert 0 == due_of(msgspec.msgpack.encode([7]))
