"""Who looks at the console, and what they may do.

Nothing here knows of HTTP: headers and cookies are handed in, and times where no other is told.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from streams.console.stays import PROXIED_SECONDS, Stay
from streams.errors import StreamsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Role = Literal["view", "operate"]
"""`view` reads; `operate` also decides: pauses, redrives, replays."""

SESSION_SECONDS: Final = 12 * 3_600
"""A working day: then the token is asked for again."""

LONGEST_NAME: Final = 64

_TRIES: Final = 5
"""Wrong tokens from one address, after which it waits …"""
_TRIES_SECONDS: Final = 60.0
"""… so long."""
_ADDRESSES: Final = 10_000
"""Kept at most: a flood of addresses forgets the oldest."""


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who was let in.

    Attributes:
        name: as the audit topic names them.
        role: what they may do.
        stay: how long they are inside.
    """

    name: str
    role: Role
    stay: Stay = field(default_factory=Stay, compare=False, repr=False)

    @property
    def may_operate(self) -> bool:
        """Whether they may decide, not only look."""
        return self.role == "operate"


class NotAllowed(StreamsError):
    """Somebody who may only look asked for something to be done: nothing was."""


def require_inside(user: User, clock: Callable[[], float] = time.time) -> None:
    """Raise `NotAllowed` where a user is inside no more, though their page stands open."""
    if user.stay.is_over(clock()):
        raise NotAllowed("You are signed out, or no longer let in: load the page again.")


def require_operate(user: User, clock: Callable[[], float] = time.time) -> None:
    """Raise `NotAllowed` unless a user may decide: the first line of whatever changes anything."""
    require_inside(user, clock)
    if not user.may_operate:
        raise NotAllowed("This needs the role operate; yours is view. Nothing was done.")


class _Session(msgspec.Struct, frozen=True, array_like=True):
    """What a cookie says; the role is the one by whose token it is signed."""

    name: str
    until: int


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Session).decode


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """How somebody is let in.

    Attributes:
        owner: who operates without being asked, on their own machine; None: nobody does.
        view_token: whoever has it may look.
        operate_token: whoever has it may decide.
        user_header: by which a proxy says who it let in, in lower case.
        role_header: by which it says `operate`, likewise.
    """

    owner: str | None = None
    view_token: str | None = None
    operate_token: str | None = None
    user_header: str | None = None
    role_header: str | None = None

    @property
    def asks(self) -> bool:
        """Whether a token is asked for."""
        return self.view_token is not None or self.operate_token is not None

    def user_of(self, headers: Mapping[str, str], session: str | None, now: float) -> User | None:
        """Who asks; None: they are not let in.

        Args:
            headers: of the request, in lower case.
            session: the cookie that `session_of` made.
            now: epoch seconds.
        """
        if self.user_header is not None and (name := headers.get(self.user_header, "").strip()):
            told = headers.get(self.role_header, "") if self.role_header else ""
            role: Role = "operate" if told.strip() == "operate" else "view"
            name = name[:LONGEST_NAME]
            return User(name, role, Stay(f"proxied {name}", role, now + PROXIED_SECONDS))
        if self.asks:
            return None if session is None else self._of_session(session, now)
        return None if self.owner is None else User(self.owner, "operate")

    def role_of(self, token: str) -> Role | None:
        """What a token lets its bearer do; takes as long whatever the token is."""
        given = token.encode()
        operates = hmac.compare_digest(given, (self.operate_token or "").encode())
        views = hmac.compare_digest(given, (self.view_token or "").encode())
        if not given:
            return None
        return "operate" if operates else "view" if views else None

    def session_of(self, user: User, now: float) -> str:
        """The cookie of somebody who was let in by the token of their role."""
        told = _encode(_Session(user.name, int(now) + SESSION_SECONDS))
        token = self._tokens()[user.role]
        if token is None:
            raise ValueError(f"nobody is let in to {user.role} by a token")
        return f"{_text(told)}.{_text(_signed(user.role, token, told))}"

    def _of_session(self, session: str, now: float) -> User | None:
        told, _, signed = session.partition(".")
        try:
            content, given = _bytes(told), _bytes(signed)
        except ValueError:
            return None
        for role, token in self._tokens().items():
            if token is not None and hmac.compare_digest(given, _signed(role, token, content)):
                found = _decode(content)
                stay = Stay(f"session {given.hex()}", role, found.until)
                return None if stay.is_over(now) else User(found.name, role, stay)
        return None

    def _tokens(self) -> dict[Role, str | None]:
        return {"view": self.view_token, "operate": self.operate_token}


def _signed(role: Role, token: str, content: bytes) -> bytes:
    """Of a role's own token, so another one ends its sessions, and a restart none.

    Whoever may look knows all that their cookie is made of: nothing of it may lead to the other
    token, or be accepted for it.
    """
    key = hashlib.sha256(_encode(["session", role, token])).digest()
    return hmac.digest(key, content, "sha256")


class Tries:
    """Wrong tokens lately, by address: whoever guesses has to wait."""

    def __init__(self) -> None:
        self._wrong: dict[str, deque[float]] = {}

    def must_wait(self, address: str, now: float) -> float:
        """Seconds until an address may try again; 0: now."""
        wrong = self._wrong.get(address)
        if wrong is None or len(wrong) < _TRIES:
            return 0.0
        return max(0.0, wrong[0] + _TRIES_SECONDS - now)

    def failed(self, address: str, now: float) -> None:
        """Take note of a wrong token."""
        wrong = self._wrong.pop(address, None) or deque(maxlen=_TRIES)
        wrong.append(now)
        self._wrong[address] = wrong
        while len(self._wrong) > _ADDRESSES:
            del self._wrong[next(iter(self._wrong))]


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
