"""The tables of answers: no row of a contract is forgotten, and no answer takes us by surprise."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.destinations import DESTINATIONS
from streams.model.delivery import Accepted, Rejected, Repair, Retry, Spared
from streams.model.retries import RETRIES
from tests.support.answer_samples import CONTRACT, SAMPLES, Sample, verdicts
from tests.support.answer_tables import answers

ALL = sorted(DESTINATIONS)


@pytest.mark.parametrize("name", ALL)
def test_each_row_of_the_contract_has_a_sample(name: str) -> None:
    """And each sample is of a row of the contract."""
    assert set(CONTRACT[name]) == {each.row for each in SAMPLES[name]}
    assert len(set(CONTRACT[name])) == len(CONTRACT[name])


def test_each_vendor_has_a_table() -> None:
    """A destination that is added is held to this by being in `DESTINATIONS`."""
    assert set(ALL) == set(CONTRACT) == set(SAMPLES) == {row[0] for row in answers()}


@pytest.mark.parametrize("name", ALL)
def test_a_sample_answers_a_kind_of_request_that_there_is(name: str) -> None:
    """As the rules name it; else it answers any event's."""
    kinds = {each.kind for each in SAMPLES[name]} - {""}

    assert kinds <= DESTINATIONS[name].rules.demands.keys()


def test_the_page_says_what_is_done() -> None:
    """Each of the things that can be done with an answer is in the table, in words."""
    said = " | ".join(row[-1] for row in answers())

    for word in (
        "accept",
        "retry: `server_error`, after 30 s",
        "retry, all wait: `throttled`, after 7 s",
        "reject `too_large`",
        "repair: `phone_number refused`, once",
        "pause the connection: `HTTP 403`",
        "split: halved until the one at fault is alone",
        "split: record 2 reject `HTTP 400`, field `attributes.a`; the others go once more",
    ):
        assert word in said


NAMES = st.sampled_from(
    [
        *("errors", "source", "pointer", "failedOrders", "failedContacts", "order", "contact"),
        *("error", "rejected", "status", "externalOrderId", "externalCustomerId", "channels"),
    ]
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 500),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(
        [
            *("1", "2", "Duplicated request", "/data/attributes/profiles/data/1"),
            "/data/attributes/events-bulk-create/data/1/attributes/profile/phone_number",
        ]
    ),
)
DOCUMENTS = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
BODIES = st.one_of(st.binary(max_size=200), DOCUMENTS.map(msgspec.json.encode))
HEADERS = st.dictionaries(
    st.sampled_from(["retry-after", "date", "x-klaviyo-partial-failure"]),
    st.one_of(
        st.text(max_size=40),
        st.floats().map(str),
        st.sampled_from(["Thu, 01 Oct 2026 12:00:09 GMT", "Thu Oct  1 12:00:00 2026", "7"]),
    ),
)
CASES = [
    pytest.param(name, kind, id=f"{name} {kind}")
    for name in ALL
    for kind in DESTINATIONS[name].rules.demands
]


@pytest.mark.parametrize(("name", "kind"), CASES)
@given(st.integers(100, 999), BODIES, HEADERS, st.integers(1, 4))
def test_no_answer_takes_us_by_surprise(
    name: str, kind: str, status: int, body: bytes, headers: dict[str, Any], records: int
) -> None:
    """Each record gets a verdict, and nothing is taken for delivered that was refused.

    But a repetition, which the vendor says is with it already.
    """
    judged = verdicts(name, Sample("", status, body, headers, kind, records))

    assert len(judged) == records
    for verdict in judged:
        if isinstance(verdict, Accepted):
            assert 200 <= status < 300 or (name, verdict.note) == ("yespo", "repeated")
        if isinstance(verdict, Retry):
            assert verdict.after is None or (verdict.after > 0 and math.isfinite(verdict.after))
            assert verdict.reason in {**RETRIES, **DESTINATIONS[name].rules.retries}
    if Spared() in judged:
        assert any(
            isinstance(each, Repair) or (isinstance(each, Rejected) and each.named)
            for each in judged
        )


@pytest.mark.parametrize("name", ALL)
@given(st.integers(100, 999).filter(lambda status: not 200 <= status < 300), st.binary())
def test_a_refusal_is_never_an_acceptance(name: str, status: int, body: bytes) -> None:
    """Whatever bytes come with it."""
    for records in (1, 3):
        judged = verdicts(name, Sample("", status, body, records=records))

        assert not any(isinstance(each, Accepted) for each in judged)
