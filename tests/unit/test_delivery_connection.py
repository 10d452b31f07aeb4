"""What a connection shows of itself: `streams.delivery.connection`."""

from __future__ import annotations

from streams.delivery.connection import Connection
from tests.support.delivery import SECRET


def test_a_connection_hides_its_credentials() -> None:
    """Neither `repr` nor `str` of a connection shows them."""
    connection = Connection(name="conn", destination="klaviyo", credentials=SECRET)

    assert "Connection('conn', 'klaviyo', 'shadow')" == repr(connection) == str(connection)
