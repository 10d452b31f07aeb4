"""What a rebuild found, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.replay.showing import masked_key, plain_key

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator

    from streams.rebuild.comparing import Comparison, Example

_KINDS = {
    "different": "different",
    "missing": "missing from the rebuilt table",
    "extra": "only in the rebuilt table",
}


def counted(counts: Counter[str]) -> str:
    """`a 3, b 1`: the most first; `none` where there is nothing."""
    return ", ".join(f"{name} {count:,}" for name, count in counts.most_common()) or "none"


def comparison_lines(found: Comparison, *, unmasked: bool) -> Iterator[str]:
    """The counts, the fields that differ, and examples; keys are masked unless asked otherwise."""
    recounted = f" ({found.recounted:,} with another version)" if found.recounted else ""
    yield (
        f"rows: {found.equal:,} equal{recounted}, {found.different:,} different,"
        f" {found.missing:,} missing, {found.extra:,} extra"
    )
    if found.markers:
        yield f"beside them {found.markers:,} markers, which are no customer's"
    if found.fields:
        yield f"fields that differ: {counted(found.fields)}"
    for each in found.examples:
        yield f"  {_example(each, unmasked=unmasked)}"


def _example(example: Example, *, unmasked: bool) -> str:
    key = plain_key(example.key) if unmasked else masked_key(example.key)
    fields = f": {', '.join(example.fields)}" if example.fields else ""
    return f"{key}  {_KINDS[example.kind]}{fields}"
