"""A vendor's answer as people may see it: short, and without anything personal or secret.

An answer often quotes what it was sent. Undressed first (URL-encoding, JSON's and HTML's escapes),
then masked: addresses, runs of seven digits and more, tokens, and whatever stood in the bodies of
the call, however it is cut up by punctuation. When in doubt it is masked: what must remain is the
vendor's own words.
"""

from __future__ import annotations

import binascii
import html
import re
import unicodedata
from base64 import b64decode
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

LONGEST: Final = 300
"""Characters of an excerpt."""

_READ: Final = 4_000
"""Bytes of an answer that are looked at."""
_UNSURE: Final = 1_000
"""Characters before the end of what was read: something personal may go on behind it, unseen."""
_LAYERS: Final = 4
"""So many times is an answer undressed: a URL in JSON in a URL."""
_SHORTEST: Final = 4
"""Letters and digits of a value from which on it is found wherever it stands, and cut up as it may
be; a shorter one is found only as a word, or nothing would be left."""
_ABOUT_NOBODY: Final = frozenset(
    {"@type", "type", "event_type", "eventTypeKey", "metric", "status", "currency", "currency_code"}
)
"""Fields whose values are words of a vocabulary, which a vendor's complaint may be about."""

_HIDDEN: Final = "***"
_MASK: Final = "\0"
"""Stands for one masked character while others are looked for."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_DRESS = re.compile(r"[&%\\]")
_PERCENT = re.compile(r"(?:%[0-9a-fA-F]{2})+")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_GAP = r"[\s().,:;/+'\"_\[\]-]{0,4}"
_PLAIN = r"[^\s\"<>(){}\[\],;:=@]"
_PATTERNS = (
    # an address, or half of it
    re.compile(rf"(?<!{_PLAIN}){_PLAIN}+\s?@\s?[^\s\"<>(){{}}\[\],;]*"),
    # a phone number, or what looks like one
    re.compile(rf"\+?\d(?:{_GAP}\d){{6,}}"),
    re.compile(r"(?i)\b(?:bearer|basic|klaviyo-api-key)\s+\S+|\b[ps]k_\w+"),
)
_LONG = re.compile(r"[\w+=.~-]{16,}")
_ADDRESS = re.compile(r"[\w.+-]{2,}@[\w-]{2,}\.\w{2,}")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{6,}")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}){4,}")
_WORD = re.compile(r"[^\W_]+")


class Answer:
    """What a vendor answered to a call, until somebody asks to see it."""

    __slots__ = ("_body", "_cut", "_excerpt", "_sent")

    def __init__(self, body: bytes, sent: Sequence[Mapping[str, Any]]) -> None:
        """Take the answer's body, and the bodies of all the call's records."""
        self._body = body[:_READ]
        self._cut = len(body) > _READ
        self._sent = sent
        self._excerpt: str | None = None

    def excerpt(self, *secrets: str) -> str | None:
        """The masked beginning of the answer; None where it said nothing.

        Args:
            secrets: credentials, which it might quote.
        """
        if self._excerpt is None:
            text = _undressed(self._body.decode("utf-8", "replace"))
            if self._cut:
                text = text[: max(0, len(text) - _UNSURE)]
            self._excerpt = _shortened(_masked(text, [*_of(self._sent), *filter(None, secrets)]))
            self._sent = ()
        return self._excerpt or None


def _of(bodies: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The values of bodies that may be about a person, as text."""
    for body in bodies:
        yield from _values("", body)


def _values(name: str, value: Any) -> Iterator[str]:
    if name in _ABOUT_NOBODY:
        return
    if isinstance(value, Mapping):
        parameter = value.keys() == {"name", "value"}  # its name is a word of ours
        items = [(str(value["name"]), value["value"])] if parameter else value.items()
        for key, each in items:
            yield from _values(key, each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _values(name, each)
    elif isinstance(value, str):
        yield value
    elif isinstance(value, (int, float)) and abs(value) >= 1_000:
        yield str(value)


def _undressed(text: str) -> str:
    """The text without what it is dressed in, each character in its plainest form, on one line."""
    for _ in range(_LAYERS if _DRESS.search(text) else 0):
        before = text
        text = _ESCAPE.sub(_unescaped, html.unescape(text))
        text = _PERCENT.sub(lambda found: _bytes(found[0].replace("%", "")), text)
        if text == before:
            break
    if not text.isascii():
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        text = unicodedata.normalize("NFKC", text)
        text = "".join(each for each in text if unicodedata.category(each) != "Cf")
    return " ".join(_CONTROL.sub(" ", text).split())


def _unescaped(found: re.Match[str]) -> str:
    code = found[1] or found[2]
    if code:
        return chr(int(code, 16))
    return {"n": " ", "r": " ", "t": " ", "b": " ", "f": " "}.get(found[3], found[3])


def _bytes(digits: str) -> str:
    return bytes.fromhex(digits).decode("utf-8", "replace")


def _masked(text: str, personal: Iterable[str]) -> str:
    found = _Known(personal)
    text = found.hidden_runs(text)
    text = _HEX.sub(lambda it: _gone(it[0]) if found.within(_bytes(it[0])) else it[0], text)
    text = _BASE64.sub(lambda it: _gone(it[0]) if found.within(_decoded(it[0])) else it[0], text)
    for pattern in _PATTERNS:
        text = pattern.sub(lambda it: _gone(it[0]), text)
    text = _LONG.sub(lambda it: _gone(it[0]) if _is_token(it[0]) else it[0], text)
    text = _WORD.sub(lambda it: _gone(it[0]) if it[0].casefold() in found.words else it[0], text)
    return re.sub(f"{_MASK}+", _HIDDEN, text)


class _Known:
    """What is known of the people of a call, in the forms in which it is looked for.

    Attributes:
        words: each word of a value, and each side of an address.
    """

    def __init__(self, personal: Iterable[str]) -> None:
        self.words: set[str] = set()
        self._runs: dict[str, set[str]] = {}
        """The first letters of a value → the letters and digits of all that begin so."""
        for each in {_undressed(text) for text in set(personal)}:
            words = [found.casefold() for found in _WORD.findall(each)]
            self.words.update(word for word in words if len(word) > 1)
            run = "".join(words)
            if len(run) >= _SHORTEST:
                self._runs.setdefault(run[:_SHORTEST], set()).add(run)

    def hidden_runs(self, text: str) -> str:
        """The text without the values, whatever stands between their letters."""
        squeezed, places = _squeezed(text)
        characters = list(text)
        for at, length in self._found(squeezed):
            first, last = places[at], places[at + length - 1]
            characters[first : last + 1] = _MASK * (last + 1 - first)
        return "".join(characters)

    def within(self, text: str) -> bool:
        """Whether a value, or an address, stands in a text that was hidden in another."""
        return bool(_ADDRESS.search(text)) or any(self._found(_squeezed(text)[0]))

    def _found(self, squeezed: str) -> Iterator[tuple[int, int]]:
        """Where values begin, and how long they are."""
        for at in range(len(squeezed) - _SHORTEST + 1):
            for run in self._runs.get(squeezed[at : at + _SHORTEST], ()):
                if squeezed.startswith(run, at):
                    yield at, len(run)


def _squeezed(text: str) -> tuple[str, list[int]]:
    """The letters and digits of a text in lower case, and where each stands."""
    words = ((found[0], found.start()) for found in _WORD.finditer(text))
    letters = ((c, start + at) for word, start in words for at, c in enumerate(word))
    pairs = [(low, at) for c, at in letters for low in c.casefold()]
    return "".join(low for low, _ in pairs), [at for _, at in pairs]


def _decoded(run: str) -> str:
    """What a run would be in base64, at whichever of its four places it begins."""
    plain = run.replace("-", "+").replace("_", "/")
    tried = (plain[skip:] for skip in range(4))
    return " ".join(map(_base64, tried))


def _base64(text: str) -> str:
    whole = text if len(text) % 4 != 1 else text[:-1]
    try:
        return b64decode(whole + "=" * (-len(whole) % 4)).decode("utf-8", "ignore")
    except binascii.Error:
        return ""


def _is_token(text: str) -> bool:
    """Whether letters and digits are mixed in it, as in keys and ids."""
    return any(map(str.isdigit, text)) and any(map(str.isalpha, text))


def _gone(text: str) -> str:
    return _MASK * len(text)


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
