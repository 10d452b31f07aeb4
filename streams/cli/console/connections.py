"""Connections for the console, by the functions of `streams connections`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from streams.cli.composition import connection_of, destination_of, kafka_of, names_of
from streams.cli.connections import decisions
from streams.cli.connections.deciding import check_name, control_of
from streams.cli.connections.lines import low_text, mode_text
from streams.cli.connections.probe import NOT_NOTED, tried
from streams.cli.connections.promotion import (
    Refused,
    check_ready,
    foresee,
    promote_to,
    promotion_of,
)
from streams.cli.connections.settings import gate_settings
from streams.cli.connections.state import LATELY_MS, contact_of, state_of
from streams.cli.console.forms import fields
from streams.cli.console.looks import Looks
from streams.console.access import require_operate
from streams.console.connections_sight import (
    ConnectionStanding,
    LimitSight,
    ProbeSight,
    PromotionSight,
    WaitsSight,
)
from streams.control.accounts import wanted_of
from streams.control.connections import gate_of
from streams.control.records import ConnectionState
from streams.control.standing import beyond, lag_of
from streams.delivery.account import account_name
from streams.engine.group_members import group_members
from streams.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from streams.cli.console.flow import Letters
    from streams.console.access import User
    from streams.console.desks import IndexDesk
    from streams.console.index import Minute
    from streams.control.accounts import Wanted
    from streams.control.forecast import Contact
    from streams.delivery.gate import How
    from streams.settings import Settings

CLIENT: Final = "streams-console"
_KEPT_SECONDS: Final = 2.0
NO_LIMITS: Final = "limits are off"
NOT_KNOWN: Final = "the console has no credentials of it, so it cannot tell its account"


class ConnectionsOperated:
    """Connections as the console asks for them (`console.desks.ConnectionsDesk`)."""

    def __init__(self, settings: Settings, index: IndexDesk, letters: Letters) -> None:
        """Take what it asks."""
        self._settings, self._index, self._letters = settings, index, letters
        self._names, self._kafka = names_of(settings), kafka_of(settings, CLIENT)
        self._looks = Looks(self._look, _KEPT_SECONDS)

    def look(self) -> list[ConnectionStanding]:
        """Each connection, as it stands now, or as somebody else has just seen it."""
        return self._looks.now()

    def _look(self) -> list[ConnectionStanding]:
        now = int(time.time() * 1_000)
        states = control_of(self._settings).states()
        wanted = wanted_of(self._kafka, self._names.control, now)
        minutes, tried = self._index.minutes(now - LATELY_MS), self._index.tried()
        found = []
        for name in self._settings.connections:
            own = [each for each in minutes if each.connection == name]
            state = states.get(name, ConnectionState())
            contact = contact_of(tried, name)
            found.append(self._standing(name, state, contact, own, wanted, now))
        return found

    def _standing(
        self,
        name: str,
        state: ConnectionState,
        contact: Contact,
        minutes: Sequence[Minute],
        wanted: Mapping[str, Mapping[str, Wanted]],
        now: int,
    ) -> ConnectionStanding:
        configured, names = self._settings.connections[name], self._names
        gate = gate_of(gate_settings(configured), state)
        group = names.deliver_group(name)
        workers = len(group_members(self._kafka, group))
        lag = lag_of(self._kafka, beyond(self._kafka, group, names.deliveries(name)))
        depth = self._letters().get(names.dead_letters(name))
        tone, told = state_of(gate, state, contact, minutes, workers, now)
        limits, unknown = self._limits(name, wanted)
        return ConnectionStanding(
            name=name,
            destination=destination_of(name, configured).name,
            mode=mode_text(gate),
            setting=configured.mode,
            promoted_by=None if state.promotion is None else state.promotion.by,
            percentage=gate.percentage if gate.mode == "live" else None,
            allowlist=len(gate.allowlist),
            off=configured.mode == "off",
            paused=state.pause is not None,
            state=told,
            tone=tone,
            lag=lag.records,
            lag_exact=lag.exact,
            workers=workers,
            last_success=contact.arrived or None,
            dead_letters=None if depth is None else depth.letters,
            limits=limits,
            limits_unknown=unknown,
        )

    def _limits(
        self, name: str, wanted: Mapping[str, Mapping[str, Wanted]]
    ) -> tuple[list[LimitSight] | None, str]:
        """How much of its account's limits is wanted, or why that is not known."""
        configured = self._settings.connections[name]
        if configured.limits == "off":
            return None, NO_LIMITS
        try:
            connection = connection_of(name, configured)
        except ConfigurationError:
            return None, NOT_KNOWN
        if connection.account is None and not connection.credentials:
            return None, NOT_KNOWN
        key = self._settings.hash_key.get_secret_value().encode()
        told = wanted.get(account_name(connection, key), {})
        allowed: dict[str, float] = {}
        for limit in destination_of(name, configured).rules.limits:
            rate = limit.count / limit.seconds * configured.limits
            allowed[limit.endpoint] = min(rate, allowed.get(limit.endpoint, rate))
        return [
            LimitSight(
                endpoint,
                wanted=told[endpoint].rate if endpoint in told else 0.0,
                allowed=rate,
                held=endpoint in told and told[endpoint].held,
            )
            for endpoint, rate in allowed.items()
        ], ""

    def waits(self, name: str) -> WaitsSight:
        """What waits in a connection's topic now."""
        found = decisions.waiting(self._settings, name)
        waits = found.waits
        return WaitsSight(waits.count, waits.oldest, waits.by_type.most_common(), found)

    def pause(self, user: User, name: str, reason: str | None) -> None:
        """Let it rest."""
        require_operate(user)
        decisions.pause(self._settings, name, reason, user.name)
        self._looks.forget()

    def resume(self, user: User, name: str, how: How | None, found: WaitsSight) -> None:
        """Let it go on; `how`: what becomes of what was found waiting."""
        require_operate(user)
        decisions.resume(self._settings, name, how, found.found, user.name)
        self._looks.forget()

    def foresee(
        self, user: User, name: str, percentage: float | None, customers: Sequence[str]
    ) -> PromotionSight:
        """What it would have sent in the last day, were it promoted to that."""
        with fields():
            promotion = promotion_of(percentage, customers, user.name)
        seen = foresee(self._settings, name, promotion)
        forecast = seen.forecast
        rows = [(kind, *counts) for kind, counts in forecast.events.items()]
        if forecast.profiles is not None:
            rows.append(("profiles alone", *forecast.profiles))
        return PromotionSight(
            before=mode_text(seen.before),
            after=mode_text(seen.after),
            rows=rows,
            deliveries=forecast.together.parts,
            customers=forecast.together.customers,
            kept=forecast.kept.most_common(),
            other=forecast.other.most_common(),
            low=low_text(seen.low) if seen.low.records else None,
            paused=seen.paused,
            obstacle=self._obstacle(name),
            found=(promotion, seen),
        )

    def _obstacle(self, name: str) -> str | None:
        try:
            check_ready(self._settings, name)
        except (Refused, ConfigurationError) as error:
            return str(error)
        return None

    def promote(self, user: User, name: str, seen: PromotionSight) -> None:
        """Let it send, as it was foreseen."""
        require_operate(user)
        check_name(self._settings, name)
        obstacle = self._obstacle(name)
        if obstacle is not None:
            raise ConfigurationError(f"connection {name}", obstacle, "Look again when that is over")
        promotion, foreseen = seen.found
        promote_to(self._settings, name, promotion, foreseen)
        self._looks.forget()

    def reset(self, user: User, name: str) -> None:
        """Back to the settings' mode."""
        require_operate(user)
        decisions.reset(self._settings, name, user.name)
        self._looks.forget()

    def test(self, user: User, name: str) -> ProbeSight:
        """Whether the vendor lets its credentials in, and what it said."""
        require_operate(user)
        told = tried(self._settings, name, user.name)
        noted = "" if told.audited else f"; {NOT_NOTED}"
        return ProbeSight(told.well, f"{told.said}{noted}", told.url)
