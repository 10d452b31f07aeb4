"""Which connections a fact goes to (DESIGN §6)."""

from __future__ import annotations

import pytest

from streams.model.fact import Fact
from streams.route import Route, route

REJECT = Fact("order.reject", "e1", 0)
CREATE = Fact("subscriber.create", "e2", 0)
CREATE_WITHHELD = Fact("subscriber.create", "e2", 0, withheld="import")
CREATE_LATE = Fact("subscriber.create", "e2", 0, late=True)
PROFILE = Fact("profile.changed", "e3", 0)

ALL = Route("all", frozenset({"order.reject", "subscriber.create"}))
ORDERS = Route("orders", frozenset({"order.reject"}))
NONE = Route("none", frozenset())
ABROAD = Route("abroad", ALL.takes, frozenset({"m2"}))
HOME = Route("home", ALL.takes, frozenset({"m1", "m3"}))


@pytest.mark.parametrize(
    ("facts", "routes", "expected"),
    [
        pytest.param([REJECT], [ALL, ORDERS], [("all", "orders")], id="all that take it, in order"),
        pytest.param([REJECT, CREATE], [ORDERS], [("orders",), ()], id="what nobody takes stays"),
        pytest.param([REJECT], [], [()], id="no connections"),
        pytest.param(
            [REJECT, PROFILE], [ALL, NONE], [("all",), ("none",)], id="a profile where no event is"
        ),
        pytest.param(
            [CREATE, PROFILE],
            [ALL, ORDERS],
            [("all",), ("orders",)],
            id="or none that it takes",
        ),
        pytest.param(
            [REJECT, PROFILE],
            [ALL, ORDERS],
            [("all", "orders")],
            id="or nobody needs it",
        ),
        pytest.param([PROFILE], [ALL, NONE], [("all", "none")], id="a profile alone goes to all"),
        pytest.param([PROFILE], [], [], id="a profile without connections is no event"),
        pytest.param(
            [CREATE_WITHHELD, PROFILE],
            [ALL],
            [(), ("all",)],
            id="withheld is told nobody",
        ),
        pytest.param(
            [CREATE_WITHHELD, REJECT, PROFILE], [ALL], [(), ("all",)], id="withheld beside another"
        ),
        pytest.param([CREATE_LATE, PROFILE], [ALL], [("all",)], id="late is told"),
        pytest.param([REJECT], [ABROAD, HOME, ALL], [("home", "all")], id="merchants of their own"),
        pytest.param([PROFILE], [ABROAD, HOME], [("home",)], id="a profile of their own merchants"),
    ],
)
def test_where_facts_go(
    facts: list[Fact], routes: list[Route], expected: list[tuple[str, ...]]
) -> None:
    """Each fact with its connections, in the order of facts and of routes."""
    assert expected == [to for _, to in route(facts, "m1", routes)]


def test_facts_come_in_their_order() -> None:
    """The order in which facts are told stays."""
    assert [CREATE, REJECT, PROFILE] == [
        fact for fact, _ in route([CREATE, REJECT, PROFILE], "m1", [ORDERS, NONE])
    ]
