"""Runs a worked case and says in words what came of it, to be held against what it expects.

A line an event, `event id (late) (withheld: why): because → who takes it`, and for each step a last
line that says how the customer stands: so a difference reads like the case.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from streams.destinations import DESTINATIONS
from streams.explain import Explainer, Target
from streams.model.delivery import Options
from streams.model.ids import delivery_id
from streams.route import Route
from tests.support.driver import Driver
from tests.support.worked_cases import seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from streams.model.subscriber import Subscriber
    from streams.pipeline import Processed
    from tests.support.worked_cases import Case

VENDORS = ("klaviyo", "attentive")
Lines = list[str]


def expected(case: Case) -> str:
    """What each step of a case tells, and who takes it; then how the customer stands."""
    return _text([*_told(case, nth, set), step.customer] for nth, step in enumerate(case.steps))


def expected_of_explain(case: Case) -> str:
    """What each webhook becomes, with the outcome at each vendor and the fields a case names.

    Timers show behind the webhook before which they fire; what is left at the end comes last.
    """
    found: list[Lines] = []
    fired: Lines = []
    for nth, step in enumerate(case.steps):
        told = _told(case, nth, dict)
        if step.timer is not None:
            fired += told
        else:
            found.append([*told, *fired, step.customer])
            fired = []
    return _text([*found, fired] if fired else found)


def _text(steps: Iterable[Lines]) -> str:
    """Steps as one text, so that a difference shows line by line."""
    return "\n".join(f"{nth}. {line}" for nth, lines in enumerate(steps, 1) for line in lines)


def _told(case: Case, nth: int, taken_by: Callable[[dict[str, str]], Any]) -> Lines:
    return [
        line(
            each.event,
            case.own_id(nth) if each.id is None else each.id,
            each.why,
            taken_by(each.outcomes()),
            late=each.late,
            withheld=each.withheld,
        )
        + (f" says {each.says}" if each.says and taken_by is dict else "")
        for each in case.steps[nth].told
    ]


def line(
    event: str,
    id_: str,
    why: str | None,
    to: set[str] | dict[str, str],
    *,
    late: bool,
    withheld: str | None,
) -> str:
    """One event."""
    notes = " (late)" if late else ""
    if withheld is not None:
        notes += f" (withheld: {withheld})"
    takers = ", ".join(
        each if isinstance(to, set) else f"{each}: {to[each]}" for each in VENDORS if each in to
    )
    return f"{event} {id_}{notes}{'' if why is None else f': {why}'} → {takers or 'nobody'}"


def stands(status: str | None, active: int, total: int, *, ever: bool) -> str:
    """How a customer stands."""
    if status is None:
        return "never subscribed" if not ever else "subscribed, and nothing is known of it"
    return f"{status}: {active} live of {total}" + ("" if ever else ", never subscribed")


def driven(case: Case) -> str:
    """What the pipeline makes of a case. A timer that has its step fires in it, and is due then."""
    routes = [Route(name, DESTINATIONS[name].takes) for name in VENDORS]
    driver = Driver(routes, case.derive_options())
    found = []
    for nth, step in enumerate(case.steps):
        if step.timer is not None:
            fired = driver.tick(seconds(step.at) * 1000)
            dues = {due for due, _ in fired}
            assert {seconds(step.at) * 1000} >= dues, f"step {nth + 1} fires when it is due"
            found.append(_processed([each for _, each in fired]))
        else:
            early = driver.tick(case.recorded(nth) * 1000)
            assert [] == early, f"nothing is due before step {nth + 1}"
            one = driver.feed(case.body(nth), case.recorded(nth), kind=step.kind)
            found.append(_processed([one]))
    assert [] == driver.settle(), "nothing is left"
    return _text(found)


def _processed(several: Iterable[Processed]) -> Lines:
    lines, row = [], None
    for processed in several:
        row = processed.row
        for each in processed.told:
            fact = each.fact
            why = None if fact.because is None else fact.because.text
            to = set(each.connections)
            lines.append(
                line(fact.type, fact.event_id, why, to, late=fact.late, withheld=fact.withheld)
            )
    return [*lines, _row(row)]


def _row(row: Subscriber | None) -> str:
    if row is None:
        return "unknown"
    return stands(row.status, row.active, row.total, ever=row.ever_subscribed)


def explained(case: Case) -> str:
    """What `streams explain` says of a case's webhooks."""
    targets = [
        Target(name, DESTINATIONS[name], msgspec.convert(case.connections.get(name, {}), Options))
        for name in VENDORS
    ]
    explainer = Explainer(targets, case.derive_options())
    said = {each.event: each.says for step in case.steps for each in step.told}
    lines = [
        explainer.arrive(nth, case.body(nth), case.recorded(nth) * 1000)
        for nth, step in enumerate(case.steps)
        if step.timer is None
    ]
    found = [[*_events(each, said), _standing(each["subscriber"])] for each in lines]
    last = explainer.settle()
    return _text(found if last is None else [*found, _events(last, said)])


def _standing(subscriber: dict[str, Any] | None) -> str:
    if subscriber is None:
        return "unknown"
    return stands(
        subscriber["status"],
        subscriber["active_subscriptions"],
        subscriber["total_subscriptions"],
        ever=subscriber["ever_subscribed"],
    )


def _events(explained_: dict[str, Any], said: dict[str, dict[str, Any]]) -> Lines:
    """Lines of events with what vendors make of them; `said` names the fields to show, by type."""
    lines = []
    for event in explained_["events"]:
        to = {
            name: each
            for name in VENDORS
            for each in explained_["deliveries"]
            if each["delivery_id"] == delivery_id(event["event_id"], event["type"], name)
        }
        why = None if event["because"] is None else event["because"]["text"]
        shown = line(
            event["type"],
            event["event_id"],
            why,
            {name: _outcome(each) for name, each in to.items()},
            late=event["late"],
            withheld=event["withheld"],
        )
        fields = {name: _said(to, name) for name in said[event["type"]]} if to else {}
        lines.append(shown + (f" says {fields}" if fields else ""))
    return lines


def _outcome(delivery: dict[str, Any]) -> str:
    reason = delivery["reason"]
    return str(delivery["outcome"]) + ("" if reason is None else f": {reason}")


def _said(deliveries: dict[str, Any], name: str) -> Any:
    """A field of what Klaviyo gets, of the event, else of the profile; of a list the ids."""
    [request] = deliveries["klaviyo"]["requests"]
    attributes = request["body"]["data"]["attributes"]
    profile = attributes.get("profile", {}).get("data", {}).get("attributes", attributes)
    value = attributes.get("properties", {}).get(name, profile.get(name))
    return [each["id"] for each in value] if isinstance(value, list) else value
