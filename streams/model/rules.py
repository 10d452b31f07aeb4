"""What a vendor demands, as data: one table for the renderer, the checks and the documentation.

A vendor's rules are rows: who can be addressed at all (`Identifier`), what a request's body must
be like (`Demand`, by endpoint), how old an event may be, how much fits into a request, how many may
come. Reading a body against its rows is pure; a row that is broken names the field.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec

from .delivery import Outcome
from .retries import RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Form = Literal["email", "e164", "digits", "text"]
"""What an identifier looks like: an address, `+13125550148`, `13125550148`, anything but empty."""

_ATOM = r"[^\s@.,:;<>()\[\]\"\\]+"
_LABEL = r"[^\W_](?:[\w-]*[^\W_])?"
EMAIL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})+")
"""An address as shops and people write them: vendors refuse the whole call for a bad one."""
PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
"""E.164."""


Repeated = Literal["first_wins", "replaces", "unproven"]
"""What a vendor does with an id that it has already: drops what comes, in silence; puts it in the
place of the first, and starts flows as for a new one; nobody knows (DESIGN §7)."""


class Identifier(msgspec.Struct, frozen=True):
    """Something that a vendor finds a person by. One that is no good is left out.

    `of` is the profile's field (`customer_id`: the event's), `named` its name at the vendor.
    `optional`: only where the connection lets it (`client_user_id`).
    """

    of: Literal["email", "phone_number", "customer_id"]
    named: str
    form: Form
    longest: int
    source: str
    optional: bool = False

    def good(self, value: str | None) -> str | None:
        """The value as the vendor takes it; None where it is no use."""
        if not value:
            return None
        if self.form == "email":
            found = value if EMAIL.fullmatch(value) else None
        elif self.form == "text":
            found = value
        else:
            found = value if PHONE.fullmatch(value) else None
        if found is not None and self.form == "digits":
            found = found[1:]
        return found if found is not None and len(found) <= self.longest else None

    @property
    def says(self) -> str:
        """The row in words."""
        form = {"email": "an address", "e164": "E.164", "digits": "digits, no plus", "text": "text"}
        return f"{form[self.form]}, at most {self.longest} characters"


class Broken(NamedTuple):
    """A rule that a body breaks: the outcome's reason, and the field."""

    reason: str
    field: str | None = None


class Sight(NamedTuple):
    """What a demand looks at: a body, how large it is, when it happened and when it would be sent.

    Times are epoch milliseconds.
    """

    body: Any
    size: int
    occurred_at: int
    now: int


class Demand(msgspec.Struct, frozen=True, kw_only=True):
    """One row of what a body must be like.

    `path` is dotted; `*` stands for each element of a list. `source` is the contract's section.
    `field` is what a refusal names, where that is not the path itself.
    """

    source: str
    path: str = ""
    field: str | None = None

    @property
    def reason(self) -> str:
        """The outcome's reason where it is broken, and the rule's name for people."""
        raise NotImplementedError

    @property
    def says(self) -> str:
        """The row in words."""
        raise NotImplementedError

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that a refusal may name, as paths."""
        return (self.field or self.path,)

    def concerns(self, broken: Broken) -> bool:
        """Whether it is this row that was broken."""
        if broken.reason != self.reason:
            return False
        return any(_within(broken.field or "", path) for path in self.fields)

    def broken(self, sight: Sight) -> Broken | None:
        """Where a body breaks it; None where it does not."""
        raise NotImplementedError


class Limit(msgspec.Struct, frozen=True):
    """At most `count` requests in each window of `seconds`, for one endpoint of one account."""

    endpoint: str
    count: int
    seconds: float


class Batch(msgspec.Struct, frozen=True):
    """How many records of one name go into a request: `count`, `bytes` of it, `seconds` to wait."""

    name: str
    count: int
    bytes: int
    seconds: float
    source: str


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that one vendor demands.

    Attributes:
        identifiers: in the order in which the vendor's documents name them.
        demands: endpoint → rows, in the order in which they are judged.
        profiles: which of these requests tell a profile alone.
        begin: the path in a body at which the demands' paths begin.
        starts_flows_within: milliseconds; an older event is kept but starts no flow. None: any age.
        repeated: what becomes of an event whose id the vendor has.
        batches: what may be sent in one request, by the batch's name.
        numbered_fields: whether a contact's fields go by number, which the merchant must tell.
        sync_profiles_every: seconds between two syncs of profiles, as the vendor's page promises.
            0: each goes with its event.
        limits: the published rates of an account.
        retries: reason of a `Retry` → how it is met, where that is not as at any vendor
            (`retries.RETRIES`).
    """

    identifiers: tuple[Identifier, ...]
    demands: Mapping[str, tuple[Demand, ...]]
    profiles: frozenset[str] = frozenset()
    begin: str = ""
    starts_flows_within: int | None = None
    repeated: Repeated = "unproven"
    batches: tuple[Batch, ...] = ()
    numbered_fields: bool = False
    sync_profiles_every: float = 0.0
    limits: tuple[Limit, ...] = ()
    retries: Mapping[str, RetryPolicy] = {}

    def identifier(self, of: str) -> Identifier:
        """The row of one identifier; KeyError where the vendor does not know it."""
        for each in self.identifiers:
            if each.of == of:
                return each
        raise KeyError(of)

    def accepted(self, occurred_at: int, now: int) -> Outcome:
        """What an event that the vendor takes amounts to: one too old starts no flow."""
        within = self.starts_flows_within
        old = within is not None and now - occurred_at > within
        return Outcome.DELIVERED_NO_TRIGGER if old else Outcome.DELIVERED

    def sight(self, body: Any, occurred_at: int, now: int) -> Sight:
        """What the demands look at, of a request's body."""
        [(_, inner)] = values_at(body, self.begin)
        return Sight(inner, len(_json(inner)), occurred_at, now)

    def broken(self, endpoint: str, body: Any, occurred_at: int, now: int) -> Broken | None:
        """The first rule that a body breaks; None where it may be sent."""
        sight = self.sight(body, occurred_at, now)
        for demand in self.demands[endpoint]:
            found = demand.broken(sight)
            if found is not None:
                return found
        return None


_json = msgspec.json.Encoder().encode


def values_at(body: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The values at a dotted path with their own paths; nothing where it leads nowhere.

    `*` goes into each element of a list.
    """
    found: list[tuple[str, Any]] = [("", body)]
    for step in path.split(".") if path else ():
        found = [inner for where, value in found for inner in _step(where, value, step)]
    yield from found


def nested(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """A value and all that is inside it, each with its path: properties.items_subset.0.price."""
    yield path, value
    inside: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, dict):
        inside = value.items()
    elif isinstance(value, list):
        inside = enumerate(value)
    for name, each in inside:
        yield from nested(each, joined(path, name))


def joined(path: str, name: object) -> str:
    """A path one step further."""
    return f"{path}.{name}" if path else str(name)


def _step(where: str, value: Any, step: str) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [(joined(where, step), value[step])] if step in value else []
    if isinstance(value, list) and step == "*":
        return [(joined(where, place), each) for place, each in enumerate(value)]
    return []


def _within(field: str, path: str) -> bool:
    """Whether a field is at a path or below it."""
    steps, wanted = field.split("."), path.split(".") if path else []
    pairs = zip(steps, wanted, strict=False)
    return len(steps) >= len(wanted) and all(w in {"*", s} for s, w in pairs)


def first(found: Iterable[tuple[str, Any]], bad: Callable[[Any], bool]) -> str | None:
    """The path of the first value that is bad."""
    return next((path for path, value in found if bad(value)), None)
