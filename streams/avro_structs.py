"""Records as structs: the fast way in and out, beside the codec's dicts.

Records in our own schema are read and written straight (`avro_decoder`, `avro_encoder`). What is in
another schema, or lies in bytes as no plain writer lays it, is read by fastavro, written once more
in ours and then read like all others: there is one way in which a struct is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from streams.avro import HEADER
from streams.avro_decoder import decoder
from streams.avro_encoder import encoder
from streams.errors import BadRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import msgspec

    from streams.avro import Codec


def struct_writer(codec: Codec) -> Callable[[Any], bytes]:
    """`codec.encode` for objects that have the schema's fields as attributes."""
    write, frame = encoder(codec.schema), codec.framed(b"")
    return lambda struct: frame + write(struct)


def struct_reader(
    codec: Codec, structs: Mapping[str, type[msgspec.Struct]]
) -> Callable[[bytes | None], Any]:
    """`codec.decode` into structs: record name → struct.

    What no struct has a field for is stepped over, whatever it holds. The function raises
    `BadRecord` as `codec.decode` does, which judges all that it does not take itself.
    """
    straight = decoder(codec.schema, structs)

    def read(value: bytes | None) -> Any:
        if codec.is_ours(value) and value is not None:
            try:
                struct, end = straight(value, HEADER)
            except Exception:  # noqa: BLE001 - whatever broken or unusual bytes lead it to
                end = -1
            if end == len(value):
                return struct
        record = codec.decode(value, branches=True)
        try:
            return straight(codec.payload(record), 0)[0]
        except Exception:  # noqa: BLE001 - as above
            raise BadRecord("malformed", None, "a value does not fit our schema") from None

    return read
