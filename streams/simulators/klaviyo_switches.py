"""What the Klaviyo simulator can do in more than one way.

Each switch stands for a fact that contracts/klaviyo.md marks as unsure, or for a property of the
merchant's account. The defaults are the documented behaviour; where nothing is documented, the
stricter one, so that a sender which pleases the simulator pleases Klaviyo.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Key", "Switches", "read_switches"]


class Key(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One private API key: the account whose quota it uses, and what it may do."""

    account: str = "default"
    scopes: frozenset[str] | None = None
    """Such as `events:write`; None: all."""


class Switches(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The simulator's behaviour where it can differ."""

    keys: dict[str, Key] = {}
    """The accepted keys. Empty: every key of the right shape, all of one account with all scopes
    (§1; §6: all keys of an account share one quota)."""
    sms: bool = True
    """Whether the account has SMS set up; without it a profile needs more than a phone (§4)."""
    lists: frozenset[str] = frozenset()
    """The ids of the account's lists; an import into another list is refused (§5)."""
    gzip: bool = True
    """Whether compressed requests are taken; else they get 415 (§1: inferred, no page says so)."""
    bad_phone: Literal["partial_failure", "refuse"] = "partial_failure"
    """A bad phone beside a valid e-mail address: ignored, with `X-Klaviyo-Partial-Failure`; or the
    older behaviour, 400 with a pointer to it (§6, phone rule)."""
    bulk_bad_phone: Literal["partial_failure", "ignore", "refuse"] = "partial_failure"
    """The same in bulk events, where nothing is confirmed (end of the contract): with the header,
    silently as bulk imports do (§5), or 400."""
    over_limit: Literal["refuse", "drop"] = "refuse"
    """More properties, longer strings and arrays, deeper nesting, larger integers or profiles than
    allowed: 400, or 202 and gone (§2: not stated which)."""
    time_out_of_bounds: Literal["refuse", "drop"] = "refuse"
    """An event before 1990 (2000 in older revisions) or over a year ahead: 400, or 202 and gone
    (§2 gives the bounds, pitfall 4 says that such events disappear)."""
    unknown_fields: Literal["refuse", "ignore"] = "refuse"
    """A field that the specification does not have: 400 with a pointer to it, or ignored (the
    contract does not say)."""
    bulk_duplicates: Literal["refuse", "drop"] = "refuse"
    """A unique_id twice for one profile and metric within a bulk request: the whole request fails,
    or all but the first are dropped (§3: specification and overview page disagree)."""
    bulk_repeats: Literal["drop", "refuse"] = "drop"
    """A unique_id of a bulk request that is already stored: dropped, or the whole request fails
    (§3, inferred; end of the contract)."""
    dedup_seconds: Annotated[float, msgspec.Meta(ge=0)] | None = None
    """How long a unique_id is remembered; None: forever (§2: not published)."""
    conflicting_identifiers: Literal["email_first", "refuse"] = "email_first"
    """Identifiers that point at different profiles: the first of id, e-mail, phone, external id
    decides; or profile-import answers 409 and an event is lost after its 202 (§4, pitfall 6)."""
    duplicates_update_profile: bool = True
    """Whether an event that is dropped as a duplicate still updates its profile (not stated)."""
    phone_check: Literal["e164", "numbering_plan"] = "e164"
    """What makes a phone valid: the form of E.164, or also that some country assigns such numbers
    (§4: "valid E.164")."""
    retry_after: bool = True
    """Whether 429 brings `Retry-After`; without it the body says "0 seconds" (§6, seen live)."""
    rate_limit_form: Literal["list", "plain"] = "list"
    """`RateLimit-Limit` as `350, 350;w=1, 3500;w=60` (§6, seen live) or as the number of the window
    of one minute alone (§6, documented)."""
    stolen_share: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0
    """The part of every window that another integration with the same account uses up (§6)."""
    job_polls: Annotated[int, msgspec.Meta(ge=1)] = 2
    """How many times a bulk import job must be asked for until it is complete (§5)."""


def read_switches(values: Mapping[str, object]) -> Switches:
    """Make switches of names and values; raises ValueError that names the wrong one."""
    return msgspec.convert(dict(values), Switches)
