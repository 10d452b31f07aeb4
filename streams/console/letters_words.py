"""Why something was given up on, in plain words, and what to do about it. Pure."""

from __future__ import annotations

from typing import Final, NamedTuple


class Words(NamedTuple):
    """Why, and what to do."""

    why: str
    advice: str


_UNKNOWN: Final = Words("It was given up on for a reason that this page has no words for.", "")

WORDS: Final = {
    "rejected": Words(
        "The vendor refused it, or it could never be sent as it is; the field is named, if it is"
        " known which.",
        "Mend what is named at its source, or in the connection's settings; then redrive. If the"
        " vendor is right, purge it.",
    ),
    "expired": Words(
        "Its time was over before the vendor took it: nobody would want it any more.",
        "Purge it, unless the vendor should have it as data: then use Replay in the mode fill.",
    ),
    "failed": Words(
        "This program failed on it: the fault is ours, and the record is kept as it came.",
        "Report it with the detail; redrive it after the upgrade that mends it.",
    ),
    "malformed": Words(
        "The record cannot be read: it is no Avro of ours, or no JSON object.",
        "Whoever writes to the topic must mend it; then write it again, and purge this one.",
    ),
    "missing_field": Words(
        "A field that everything stands on is missing: it is named.",
        "Mend the mapping or the source; redrive it if the record itself was right.",
    ),
    "wrong_type": Words(
        "A field holds something of another kind than it must: it is named.",
        "Mend the mapping or the source; redrive it if the record itself was right.",
    ),
    "unknown_type": Words(
        "This program does not know the event's type.",
        "If the type is to be ignored, purge it; after an upgrade that knows it, redrive it.",
    ),
    "unknown_schema": Words(
        "The registry does not know the id of the schema that it was written with.",
        "Register the schema, or correct registry.url; then redrive.",
    ),
    "no_customer": Words(
        "It does not say whose it is, so it can go to no customer's state.",
        "Mend it at the source and write it again; then purge this one.",
    ),
    "too_large": Words(
        "It is larger than its topic takes.",
        "Nothing can carry it as it is: mend the source, then purge it.",
    ),
    "wrong_key": Words(
        "Its key is not its customer's, so it would get out of order with that customer's others.",
        "Have it written under the right key, or let `rekey.topic` do that.",
    ),
    "unmapped_path": Words(
        "The mapping names a path that the record does not have.",
        "Mend the mapping (`streams check` shows what it finds); then redrive.",
    ),
    "unknown_value": Words(
        "A value is none of those that the mapping lists for its field.",
        "Add the value to the mapping; then redrive.",
    ),
    "unknown_tier": Words(
        "The loyalty tier is none of those that the settings list.",
        "Add it to okendo.tiers at its place; then redrive.",
    ),
}
"""Reason → words."""


def words_of(reason: str, obstacle: str | None) -> Words:
    """Words for a reason; what stands in the way of a redrive comes with the advice."""
    found = WORDS.get(reason, _UNKNOWN)
    if obstacle is None:
        return found
    return Words(found.why, f"{found.advice} It cannot be redriven now: {obstacle}.".strip())
