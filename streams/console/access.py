"""Who looks at the console, and what they may do.

Nothing here knows of HTTP or asks a clock: headers, cookies and times are handed in.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections import deque
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from streams.errors import StreamsError

if TYPE_CHECKING:
    from collections.abc import Mapping

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


class User(msgspec.Struct, frozen=True):
    """Somebody who was let in.

    Attributes:
        name: as the audit topic names them.
        role: what they may do.
    """

    name: str
    role: Role

    @property
    def may_operate(self) -> bool:
        """Whether they may decide, not only look."""
        return self.role == "operate"


class NotAllowed(StreamsError):
    """Somebody who may only look asked for something to be done: nothing was."""


def require_operate(user: User) -> None:
    """Raise `NotAllowed` unless a user may decide: the first line of whatever changes anything."""
    if not user.may_operate:
        raise NotAllowed("This needs the role operate; yours is view. Nothing was done.")


class _Session(msgspec.Struct, frozen=True, array_like=True):
    name: str
    role: Role
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
            return User(name[:LONGEST_NAME], "operate" if told.strip() == "operate" else "view")
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
        """The cookie of somebody who was let in."""
        told = _encode(_Session(user.name, user.role, int(now) + SESSION_SECONDS))
        return f"{_text(told)}.{_text(self._signed(told))}"

    def _of_session(self, session: str, now: float) -> User | None:
        told, _, signed = session.partition(".")
        try:
            content, given = _bytes(told), _bytes(signed)
        except ValueError:
            return None
        if not hmac.compare_digest(given, self._signed(content)):
            return None
        found = _decode(content)
        return None if found.until < now else User(found.name, found.role)

    def _signed(self, content: bytes) -> bytes:
        """Of the tokens themselves: another token ends all sessions, a restart none."""
        both = _encode(["session", self.view_token, self.operate_token])
        return hmac.digest(hashlib.sha256(both).digest(), content, "sha256")


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
