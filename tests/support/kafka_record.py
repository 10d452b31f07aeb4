"""Records as a consumer gives them, without a broker."""

from __future__ import annotations


class Record:
    """As much of a Kafka record as the books look at."""

    def __init__(self, key: bytes, value: bytes, at: int) -> None:
        self._key, self._value, self._at = key, value, at

    def key(self) -> bytes:
        """`merchant:customer`."""
        return self._key

    def value(self) -> bytes:
        """Holds the body."""
        return self._value

    def timestamp(self) -> tuple[int, int]:
        """When Kafka recorded it."""
        return 2, self._at

    def partition(self) -> int:
        """Any."""
        return 3

    def offset(self) -> int:
        """Any."""
        return 14
