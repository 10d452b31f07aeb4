"""A row for people: what the customer is now, and the marks that decide what is told next."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from streams.derive.dedupe import WIDTH
from streams.names import DAY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from streams.model.events import Entitlement
    from streams.model.subscriber import Checkout, Subscriber, SubscriptionState

UNKNOWN = "unknown"
MARKS_OF_AN_EVENT = 2 * WIDTH
"""Bytes that a row remembers an event by: its id and its guard."""


def row_lines(row: Subscriber, profile: Mapping[str, Any]) -> Iterator[str]:
    """The lines of a row; `profile` is its profile's text, masked or not."""
    yield (
        f"  {row.status or 'never subscribed'}: {row.active} active of {row.total}, "
        f"version {row.version}"
    )
    yield f"  {_profile(profile)}"
    for title, lines in (
        ("history", _history(row)),
        ("subscriptions", _subscriptions(row)),
        ("timers", _timers(row)),
        ("checkouts told", _checkouts(row)),
        ("entitlements", _entitlements(row)),
        ("products", _products(row)),
        ("out of stock", _out_of_stock(row)),
        ("events remembered", remembered(row.seen)),
    ):
        yield f"  {title}"
        yield from (f"    {line}" for line in list(lines) or ["none"])


def _profile(profile: Mapping[str, Any]) -> str:
    name = " ".join(filter(None, (profile["first_name"], profile["last_name"])))
    return (
        f"e-mail {profile['email'] or UNKNOWN}, phone {profile['phone_number'] or UNKNOWN}, "
        f"name {name or UNKNOWN}"
    )


def _history(row: Subscriber) -> Iterator[str]:
    if row.complete:
        yield "complete: all of the past is known"
    elif row.stated:
        yield "synced: all of the past is known once the end of a whole sync is marked"
    else:
        yield "incomplete: no cancel is told"
    yield "has subscribed" if row.ever_subscribed else "has never subscribed"
    yield f"became active {row.spell} times"
    yield f"customer created {time_text(row.customer_created)}"
    if row.begun is not None:
        yield f"first seen in an event of {time_text(row.begun)}"
    yield from erased_line(row.erased_at)
    if row.last_cancel is None:
        yield "no subscriber.cancel was told"
    else:
        subscription, updated = row.last_cancel
        yield f"last subscriber.cancel told: of {subscription}, {time_text(updated)}"


def _subscriptions(row: Subscriber) -> Iterator[str]:
    order = sorted(row.subscriptions.items(), key=lambda each: each[1].key, reverse=True)
    for id_, state in order:
        yield f"{id_}  {'live' if state.content.live else 'dead'}{_marks(state)}"


def _marks(state: SubscriptionState) -> str:
    key = state.key
    marks = [
        f"updated {time_text(key.updated)}",
        f"event of {time_text(key.created)}",
        f"rank {key.rank}",
        f"id {key.event_id}",
    ]
    if state.died_in:
        marks.append(f"died in spell {state.died_in}")
    told = state.reactivations.announced
    if told:
        marks.append(f"reactivated {', '.join(map(time_text, told))}")
    return f"  ({'; '.join(marks)})"


def _timers(row: Subscriber) -> Iterator[str]:
    due = [(each.closes, _closing(key, each)) for key, each in row.checkouts.items() if each.closes]
    if row.settling is not None:
        due.append((row.settling.at, f"subscriber.cancel of {row.settling.before} → 0 is decided"))
    for at, what in sorted(due):
        yield f"{time_text(at)}  {what}"


def _closing(key: str, checkout: Checkout) -> str:
    return f"checkout {key} closes: {', '.join(checkout.members)}"


def _checkouts(row: Subscriber) -> Iterator[str]:
    for key, each in row.checkouts.items():
        if each.told:
            yield f"{key}  {each.told} times, last member {time_text(each.touched)}"


def _entitlements(row: Subscriber) -> Iterator[str]:
    for id_, each in row.entitlements.items():
        yield f"{id_}  {_access(each)}"


def _access(entitlement: Entitlement) -> str:
    live = {True: "live", False: "void", None: UNKNOWN}[entitlement.live]
    name = entitlement.resource_name or entitlement.resource_public_id or UNKNOWN
    return f"{live}  {name}, expires {time_text(entitlement.expiration)}"


def _products(row: Subscriber) -> Iterator[str]:
    for id_, each in row.products.items():
        yield f"{id_}  {each.product.name or UNKNOWN}, seen {time_text(each.seen)}"


def _out_of_stock(row: Subscriber) -> Iterator[str]:
    for id_, since in row.first_out_of_stock.items():
        yield f"{id_}  since {time_text(since)}"


def erased_line(erased_at: int | None) -> Iterator[str]:
    """That somebody was erased, if they were."""
    if erased_at is not None:
        yield f"erased {time_text(erased_at)}: what was created before is dropped"


def remembered(seen: Mapping[int, bytes]) -> Iterator[str]:
    """How many events are remembered of each day."""
    for day, digests in sorted(seen.items()):
        yield f"{time_text(day * DAY)[:10]}  {len(digests) // MARKS_OF_AN_EVENT}"


def time_text(milliseconds: int | None) -> str:
    """Epoch milliseconds as UTC, ISO 8601, to the second where nothing is finer."""
    if milliseconds is None:
        return UNKNOWN
    when = datetime.fromtimestamp(milliseconds / 1000, UTC)
    precision = "milliseconds" if when.microsecond else "seconds"
    return when.isoformat(timespec=precision).replace("+00:00", "Z")
