"""How connections are shown: a table for people, an object each for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from streams.model.wording import moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from streams.control.forecast import Contact, Forecast
    from streams.control.records import ConnectionState
    from streams.control.standing import Lag, LowWaits, Waits
    from streams.delivery.gate import Gate

HEAD = ("NAME", "DESTINATION", "MODE", "STATE", "LAG", "LAST SUCCESS", "DEAD LETTERS")


class Standing(NamedTuple):
    """All that is known of a connection without asking its workers.

    Attributes:
        name: of the connection.
        destination: the vendor.
        setting: the mode that the settings say.
        gate: that holds.
        state: what was decided.
        lag: of its group in its topic.
        contact: with the vendor, in the last day, or the day in which something was last told.
        dead_letters: that nobody has settled.
    """

    name: str
    destination: str
    setting: str
    gate: Gate
    state: ConnectionState
    lag: Lag
    contact: Contact
    dead_letters: int

    @property
    def sends(self) -> bool:
        """Whether its vendor is to get something."""
        return self.gate.mode in {"allowlist", "live"} and self.state.pause is None

    @property
    def refused_since(self) -> int | None:
        """When the vendor refused the credentials, if nothing arrived or was decided since."""
        refused, after = self.contact.refused, max(self.contact.arrived, self.state.resumed_at)
        return refused if refused > after else None


def mode_text(gate: Gate) -> str:
    """A mode with its measure: `live 25 %`, `allowlist of 3`."""
    if gate.mode == "live" and gate.percentage < 100:
        return f"live {gate.percentage:g} %"
    return f"allowlist of {len(gate.allowlist)}" if gate.mode == "allowlist" else gate.mode


def standing_lines(standings: Iterable[Standing]) -> list[str]:
    """A table."""
    rows = [
        (
            each.name,
            each.destination,
            _mode(each),
            _state(each),
            lag_text(each.lag),
            moment(each.contact.arrived) if each.contact.arrived else "none in 24 h",
            str(each.dead_letters),
        )
        for each in standings
    ]
    return _columns([HEAD, *rows])


def standing_object(each: Standing) -> dict[str, Any]:
    """The same for programs; times are epoch milliseconds, None where there is nothing to say."""
    pause = each.state.pause
    return {
        "name": each.name,
        "destination": each.destination,
        "mode": each.gate.mode,
        "percentage": each.gate.percentage if each.gate.mode == "live" else None,
        "allowlist": len(each.gate.allowlist) if each.gate.mode == "allowlist" else None,
        "setting": each.setting,
        "promoted_by": each.state.promotion.by if each.state.promotion else None,
        "paused": None
        if pause is None
        else {"by": pause.by, "since": pause.since, "reason": pause.reason},
        "refused_since": each.refused_since,
        "lag": each.lag.records,
        "lag_exact": each.lag.exact,
        "last_success": each.contact.arrived or None,
        "dead_letters": each.dead_letters,
    }


def waits_lines(waits: Waits) -> list[str]:
    """What waits, by event type, the most frequent first."""
    if not waits.count or waits.oldest is None:
        return ["nothing waits"]
    rows = [(kind, str(count)) for kind, count in waits.by_type.most_common()]
    told = "1 delivery waits" if waits.count == 1 else f"{waits.count} deliveries wait"
    told += f", the oldest since {moment(waits.oldest)}"
    return [told, *(f"  {line}" for line in _columns(rows))]


def forecast_lines(forecast: Forecast) -> list[str]:
    """What would have been sent, by event type, with the customers whose it is."""
    rows = [("event type", "events", "customers")]
    rows += [(kind, str(n), str(people)) for kind, (n, people) in forecast.events.items()]
    if forecast.profiles is not None:
        rows.append(("profiles alone", str(forecast.profiles[0]), str(forecast.profiles[1])))
    rows.append(("all", str(forecast.together.parts), str(forecast.together.customers)))
    lines = [f"  {line}" for line in _columns(rows)]
    if forecast.kept:
        kept = ", ".join(f"{n} ({why})" for why, n in forecast.kept.most_common())
        lines.append(f"  kept back still: {kept}")
    if forecast.other:
        other = ", ".join(f"{n} {outcome}" for outcome, n in forecast.other.most_common())
        lines.append(f"  not to be sent whatever the mode, or sent already: {other}")
    return lines


def low_text(low: LowWaits) -> str:
    """What a promotion lets go at once, since it waits in the low lane already."""
    holds = "1 delivery" if low.records == 1 else f"{low.records} deliveries"
    people = "1 customer" if low.customers == 1 else f"{low.customers} customers"
    goes = f"this lets {low.starting} of them go as if new, to {people}"
    return f"its low lane holds {holds}; {goes}"


def lag_text(lag: Lag) -> str:
    """`12`; `about 90000` where markers of transactions may be among them."""
    if lag.records is None:
        return "not begun"
    return str(lag.records) if lag.exact else f"about {lag.records}"


def _mode(each: Standing) -> str:
    told = mode_text(each.gate)
    return told if each.state.promotion is None else f"{told} (settings: {each.setting})"


def _state(each: Standing) -> str:
    if each.gate.mode == "off":
        return "off"
    pause, refused = each.state.pause, each.refused_since
    if pause is not None:
        why = f": {pause.reason}" if pause.reason else ""
        return f"paused since {moment(pause.since)} by {pause.by}{why}"
    return "on" if refused is None else f"credentials refused since {moment(refused)}"


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
