"""Canaries: planted secrets and people, and the scanner that finds them wherever they come out.

A text may come out as it is, or dressed: URL-encoded, in base64, escaped as JSON or in hexadecimal.
The scanner undresses what it reads, and knows how base64 dresses a text at each of its three
alignments. `LEAKS` is the other side: each way to leak a text on purpose, by which the tests show
that the scanner sees every one of them.
"""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import quote, quote_plus, unquote_to_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

__all__ = ["LEAKS", "Leak", "Scanner"]

_LAYERS: Final = 3
"""So many times is a text undressed: a URL in JSON in a URL."""
_NEAR: Final = 40
_ESCAPE = re.compile(rb'\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(["\\/]))')
_STANDARD, _SAFE = b"+/", b"-_"


class Leak(NamedTuple):
    """A planted text that came out.

    Attributes:
        channel: where.
        canary: which one, by its label.
        dress: how it was written.
        near: what stands around it, to find the place.
    """

    channel: str
    canary: str
    dress: str
    near: str


class Scanner:
    """Looks for canaries, whatever they are dressed as.

    Args:
        canaries: label → text. Texts of at least eight characters, or base64 could hide them.
    """

    def __init__(self, canaries: Mapping[str, str]) -> None:
        short = [label for label, text in canaries.items() if len(text) < 8]
        if short:
            raise ValueError(f"too short to be found in base64: {', '.join(short)}")
        self._patterns = [
            (label, dress, pattern)
            for label, text in canaries.items()
            for dress, pattern in _patterns(text)
        ]

    def scan(self, channel: str, said: str | bytes, allowed: Collection[str] = ()) -> list[Leak]:
        """Every canary in what was said, once for each dress; but those that are allowed there."""
        data = said.encode(errors="surrogatepass") if isinstance(said, str) else said
        found: dict[tuple[str, str], Leak] = {}
        for layer, view in _views(data):
            folded = view.decode(errors="replace").lower().encode()
            for label, dress, pattern in self._patterns:
                if label in allowed:
                    continue
                text = view if dress.startswith("base64") else folded
                place = text.find(pattern)
                name = " in ".join(filter(None, (dress, layer))) or "plain"
                if place >= 0 and (label, name) not in found:
                    around = text[max(0, place - _NEAR) : place + len(pattern) + _NEAR]
                    near = around.decode(errors="replace")
                    found[label, name] = Leak(channel, label, name, near)
        return list(found.values())


def _patterns(text: str) -> Iterator[tuple[str, bytes]]:
    """How a text looks, in lower case where letters may be of either."""
    plain = text.encode()
    yield "", text.lower().encode()
    yield "hex", plain.hex().encode()
    for alignment in range(3):
        for name, form in _base64(plain, alignment):
            yield f"{name} at {alignment}", form


def _base64(text: bytes, alignment: int) -> Iterator[tuple[str, bytes]]:
    """The part of the base64 form that does not depend on what stands around the text."""
    first = -alignment % 3
    whole = (len(text) - first) // 3 * 3
    form = base64.b64encode(text[first : first + whole])
    yield "base64", form
    safe = form.translate(bytes.maketrans(_STANDARD, _SAFE))
    if safe != form:
        yield "base64 (URL)", safe


def _views(data: bytes) -> Iterator[tuple[str, bytes]]:
    """The text as it is, and undressed, as often as that changes anything."""
    views = {data: ""}
    for _ in range(_LAYERS):
        for view, layer in list(views.items()):
            for name, undress in _UNDRESS.items():
                views.setdefault(undress(view), f"{layer}, {name}".strip(", "))
    for view, layer in views.items():
        yield layer, view


def _unescaped(data: bytes) -> bytes:
    def meant(found: re.Match[bytes]) -> bytes:
        unit, byte, character = found.groups()
        if unit:
            return chr(int(unit, 16)).encode(errors="surrogatepass")
        return bytes([int(byte, 16)]) if byte else character or b""

    if b"\\" not in data:
        return data
    # a pair of escapes for one character beyond the basic plane becomes that character
    text = _ESCAPE.sub(meant, data).decode(errors="surrogatepass") if b"\\u" in data else ""
    if text:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()
    return _ESCAPE.sub(meant, data)


_UNDRESS: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    "URL": lambda data: unquote_to_bytes(data) if b"%" in data else data,
    "form": lambda data: unquote_to_bytes(data.replace(b"+", b" ")) if b"+" in data else data,
    "JSON": _unescaped,
}


def _hidden_in_base64(text: str, before: str) -> str:
    return base64.b64encode(f"{before}{text}!".encode()).decode()


def _every_escape(text: str) -> str:
    units = text.encode("utf-16-be")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


LEAKS: Final[Mapping[str, Callable[[str], str]]] = {
    "plain": str,
    "in capitals": str.upper,
    "URL": lambda text: quote(text, safe=""),
    "URL in lower hexadecimals": lambda text: re.sub(
        "%..", lambda found: found[0].lower(), quote(text, safe="")
    ),
    "URL of a path": quote,
    "URL of a form": quote_plus,
    "every character of a URL": lambda text: "".join(f"%{each:02X}" for each in text.encode()),
    "a URL in a URL": lambda text: quote(quote(text, safe=""), safe=""),
    "base64": lambda text: _hidden_in_base64(text, ""),
    "base64, one behind": lambda text: _hidden_in_base64(text, "x"),
    "base64, two behind": lambda text: _hidden_in_base64(text, "xy"),
    "base64 for URLs": lambda text: (
        base64.urlsafe_b64encode(f":{text}".encode()).decode().rstrip("=")
    ),
    "base64 in a URL": lambda text: quote(_hidden_in_base64(text, "user:"), safe=""),
    "JSON": json.dumps,
    "every character of JSON": _every_escape,
    "JSON in JSON": lambda text: json.dumps(json.dumps({"said": text})),
    "bytes of Python": lambda text: repr(text.encode()),
    "hexadecimals": lambda text: text.encode().hex(),
    "capital hexadecimals": lambda text: text.encode().hex().upper(),
}
"""Ways to leak a text."""
