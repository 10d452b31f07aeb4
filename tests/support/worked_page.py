"""The page of worked cases, for people who write campaigns: rendered from the cases' files."""

from __future__ import annotations

import os
from datetime import datetime, time
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.worked_cases import EMAIL, Subscription, moment

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.support.worked_cases import Case, Step, Told

PAGE = Path(__file__).parents[2] / "streams" / "derive" / "WORKED_CASES.md"
UPDATE = os.environ.get("UPDATE_GOLDEN") == "1"
VENDORS = {"klaviyo": "Klaviyo", "attentive": "Attentive"}

HEAD = """\
# Worked cases: what arrives, and what is told

What Ordergroove's webhooks become, case by case: which events reach Klaviyo and Attentive, why, and
how the customer stands afterwards. The tests run every case on this page through the program; the
page is made from the same files (`tests/samples/worked_cases`), so it cannot say anything else.

How to read a table:

- Webhooks stand in the order in which they **arrive**, with the time at which each thing
  **happened** (UTC). Where the two disagree, a webhook was held up.
- Lines in italics are the clock's: nothing arrives, but a waiting time is over.
- **Told** means sent: an arrow says to whom. The letters behind an event that we conclude begin its
  id. An id stands for the fact, so it is the same however and however often the fact is found out.
- **Late** means that the news is too old to act on: it is sent to Klaviyo as data that starts no
  flow (backfill) and not to Attentive, unless a connection says `late_events = "trigger"`.
- **Withheld** means concluded, counted, and not sent. The reason stands beside it:

  | reason | what it says |
  |---|---|
  | `import` | it came by a migration of the programme |
  | `state` | it came by `streams sync`, which tells how things stand, not what happened |
  | `derived_mode` | Ordergroove's own subscriber event: ours is told in its place |
  | `old_customer` | the customer is older than a day: perhaps they subscribed before we looked |
  | `customer_age_unknown` | nobody says how old the customer is |
  | `old_subscription` | the subscription is older than a day |
  | `incomplete_history` | there may be subscriptions of theirs that we never saw |

  A profile is never withheld: status and address are kept up to date for everybody.
- `profile.changed` goes to those vendors that get no other event of the same webhook, since every
  event brings the profile along.
- Unless a case says otherwise, the topic holds all of the shop's history (`history = "complete"`).
"""


def rendered(cases: Iterable[Case]) -> str:
    """The page."""
    numbered = list(enumerate(cases, 1))
    parts = [HEAD]
    for chapter, of in groupby(numbered, key=lambda each: each[1].chapter):
        parts.append(f"## {chapter}\n")
        parts += [_case(number, case) for number, case in of]
    return "\n".join(parts)


def _case(number: int, case: Case) -> str:
    lines = [f"### {number}. {case.title}", "", case.story, ""]
    settings = [f"`{name} = {_setting(value)}`" for name, value in case.options.items()]
    settings += [
        f"`connections.{connection}.{name} = {_setting(value)}`"
        for connection, chosen in case.connections.items()
        for name, value in chosen.items()
    ]
    if settings:
        lines += [f"Settings: {', '.join(settings)}.", ""]
    lines += [
        "| happened | what arrives | what is told, and why | the customer then |",
        "|---|---|---|---|",
    ]
    lines += [_row(case, step) for step in case.steps]
    return "\n".join([*lines, ""])


def _setting(value: Any) -> str:
    if isinstance(value, datetime | time):
        return f"{moment(value):%Y-%m-%dT%H:%MZ}"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[" + ", ".join(_setting(each) for each in value) + "]"
    return f'"{value}"'


def _row(case: Case, step: Step) -> str:
    first = case.first(step)
    what = f"*{step.timer}*" if step.timer is not None else _webhook(case, step, first)
    told = "<br>".join(map(_told, step.told)) or "nothing"
    return f"| {_when(first.at)} | {what} | {told} | {step.customer} |"


def _when(value: Any) -> str:
    when = moment(value)
    return f"{when.day} {when:%b %H:%M:%S}"


def _webhook(case: Case, step: Step, first: Step) -> str:
    notes = _notes(case, first)
    if step.repeats is not None:
        notes.append("once more" if step.id is None else "once more, under another id")
    if first.kind != "event":
        notes.append(f"a record of kind `{first.kind}`")
    about = "" if first.about is None else f": {first.about}"
    return f"`{first.arrives}`{about}" + "".join(f"<br>{note}" for note in notes)


def _notes(case: Case, step: Step) -> list[str]:
    """What matters of a webhook beside its type."""
    known = case.subscriptions.get(step.about or "", Subscription())
    is_new = step.arrives == "subscription.create"
    told = {
        "changed": step.updated and _when(step.updated),
        "reaches us": step.reaches and _when(step.reaches),
        "created together:": ", ".join(step.created_together),
        "product:": step.product,
        "source:": step.source,
        "order": is_new and known.order,
        "session": is_new and known.session,
        "subscription of": known.created and _day(known.created),
        "customer since": step.customer_since and _day(step.customer_since),
        "e-mail": step.email != EMAIL and step.email,
    }
    return [f"{label} {value}" for label, value in told.items() if value] + [
        f"in the snapshot: {each.about}, {'live' if each.live else 'cancelled'}, "
        f"changed {_when(each.updated)}"
        for each in step.beside
    ]


def _day(value: Any) -> str:
    when = moment(value)
    return f"{when.day} {when:%b %Y %H:%M:%S}"


def _told(told: Told) -> str:
    name = f"**{told.event}**" if told.withheld is None else f"~~{told.event}~~"
    id_ = "" if told.id is None else f" `{told.id[:8]}`"
    notes = [f"withheld: `{told.withheld}`"] if told.withheld is not None else []
    notes += ["late"] if told.late else []
    notes += [told.why] if told.why is not None else []
    notes += [f"`{name}`: {_plainly(value)}" for name, value in told.says.items()]
    text = f"{name}{id_}" + (f" ({'; '.join(notes)})" if notes else "")
    return text + ("" if told.withheld is not None else f" → {_takers(told.outcomes())}")


def _plainly(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)


def _takers(outcomes: dict[str, str]) -> str:
    takers = [
        f"{vendor} (data only)" if outcomes[name].startswith("delivered_no_trigger") else vendor
        for name, vendor in VENDORS.items()
        if outcomes.get(name, "").startswith("delivered")
    ]
    return ", ".join(takers) or "nobody"
