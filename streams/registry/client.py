"""A registry that speaks Confluent's REST API, by Confluent's own client: nothing else calls it.

What the registry answers is told apart from what keeps it from answering: an id that it does not
know may be given up on, a registry that is away may not. Every call blocks, for seconds at most;
waiting and asking again is for those who call. Confluent's client takes long to import, and most
processes have no registry: it is imported once one is asked.

https://docs.confluent.io/platform/current/schema-registry/develop/api.html
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from textwrap import shorten
from typing import TYPE_CHECKING, Any, Final, NamedTuple, ParamSpec, TypeVar

from confluent_kafka import KafkaError, KafkaException

from streams.errors import ConfigurationError, StreamsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from confluent_kafka.schema_registry import Schema, SchemaRegistryError

__all__ = ["Address", "Registered", "RegistryAway", "RegistryClient", "SchemaRefused", "Written"]

_TIMEOUT_SECONDS: Final = 5
_WORDS: Final = 300
"""Of what the registry says about a schema, which may hold two schemas whole."""
_NOT_FOUND: Final = range(40400, 40500)
"""The registry's own codes for what it has not; a bare 404 is some other server's word."""

Question = ParamSpec("Question")
Answer = TypeVar("Answer")


class RegistryAway(StreamsError):
    """The registry gave no answer that could be used; the text says why, without address or key."""


class SchemaRefused(StreamsError):
    """The registry does not take a schema: not compatible with what it has, or not valid."""


class _NotFound(StreamsError):
    """The registry has no such id, subject, version or schema."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a registry is, and how to be let in.

    Attributes:
        url: `https://…`, several with commas between; `mock://…` is one in memory, for tests.
        username: of basic authentication; None: none.
        password: belongs to it.
        ca_file: certificates that it is trusted by; None: those that all the world trusts.
        certificate_file: our own, where it asks for one.
        key_file: the key of ours.
    """

    url: str = field(repr=False)  # may hold a password
    username: str | None = None
    password: str = field(default="", repr=False)
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None


class Registered(NamedTuple):
    """A schema as it stands under a subject."""

    subject: str
    id: int
    version: int


class Written(NamedTuple):
    """The schema of an id.

    Attributes:
        kind: AVRO, JSON, PROTOBUF.
        texts: of the schemas that it refers to, each after those that it needs; its own last.
    """

    kind: str
    texts: tuple[str, ...]


class RegistryClient:
    """Asks a registry. Any thread may; every method may raise `RegistryAway`."""

    def __init__(self, address: Address) -> None:
        """Prepare; nothing is asked yet.

        Raises:
            ConfigurationError: files that are no certificates, an address that is none.
        """
        from confluent_kafka.schema_registry import SchemaRegistryClient  # noqa: PLC0415 - slow

        try:
            self._client = SchemaRegistryClient.new_client(_configuration(address))
        except (OSError, ssl.SSLError) as error:
            reason = getattr(error, "reason", None) or error.strerror
            raise ConfigurationError(
                "registry.ca_file, certificate_file, key_file", f"not usable ({reason})", "Mend it"
            ) from None
        except (TypeError, ValueError):  # its text may quote a password
            raise ConfigurationError(
                "registry.url", "the client does not take it", "Write it like https://host:8081"
            ) from None

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    def schema(self, number: int) -> Written | None:
        """The schema of an id; None: the registry does not know it."""
        try:
            found = _asked(self._client.get_schema, number)
            texts = (*self._referred(found, set()), found.schema_str or "")
        except _NotFound:
            return None
        return Written(found.schema_type or "AVRO", texts)

    def find(self, subject: str, text: str) -> Registered | None:
        """Where a schema stands under a subject; None: it does not."""
        try:
            found = _asked(self._client.lookup_schema, subject, _avro(text))
        except _NotFound:
            return None
        return Registered(subject, found.schema_id or 0, found.version or 0)

    def register(self, subject: str, text: str) -> Registered:
        """Put a schema under a subject; one that stands there already stays as it is.

        Raises:
            SchemaRefused: the registry does not take it.
        """
        taken = _asked(self._client.register_schema_full_response, subject, _avro(text))
        if taken.version is not None:
            return Registered(subject, taken.schema_id or 0, taken.version)
        found = self.find(subject, text)  # older registries answer with the id alone
        if found is None:
            raise RegistryAway("it does not find what it has just taken")
        return found

    def versions(self, subject: str) -> dict[int, str]:
        """The texts of a subject's versions; none if there is no such subject."""
        try:
            numbers = _asked(self._client.get_versions, subject)
            found = {each: _asked(self._client.get_version, subject, each) for each in numbers}
        except _NotFound:
            return {}
        return {number: each.schema.schema_str or "" for number, each in sorted(found.items())}

    def _referred(self, schema: Schema, seen: set[tuple[str, int]]) -> Iterator[str]:
        """The texts that a schema refers to, each after those that it refers to itself."""
        for each in schema.references or ():
            place = (each.subject or "", each.version or 0)
            if place not in seen:
                seen.add(place)
                inner = _asked(self._client.get_version, *place).schema
                yield from self._referred(inner, seen)
                yield inner.schema_str or ""


def try_again_later(away: RegistryAway) -> KafkaException:
    """What the engine's loading thread understands as: not now."""
    return KafkaException(KafkaError(KafkaError._TRANSPORT, str(away)))  # noqa: SLF001 - its public name


def _configuration(address: Address) -> dict[str, Any]:
    files = {
        "ssl.ca.location": address.ca_file,
        "ssl.certificate.location": address.certificate_file,
        "ssl.key.location": address.key_file,
    }
    told: dict[str, Any] = {name: str(file) for name, file in files.items() if file is not None}
    if address.username is not None:
        told["basic.auth.user.info"] = f"{address.username}:{address.password}"
    # Its own retries would sleep where nobody can look whether an answer is still wanted.
    return told | {"url": address.url, "timeout": _TIMEOUT_SECONDS, "max.retries": 0}


def _avro(text: str) -> Schema:
    from confluent_kafka.schema_registry import Schema  # noqa: PLC0415 - slow

    return Schema(text, "AVRO")


def _asked(
    ask: Callable[Question, Answer], *args: Question.args, **kwargs: Question.kwargs
) -> Answer:
    from confluent_kafka.schema_registry import SchemaRegistryError  # noqa: PLC0415 - slow

    try:
        return ask(*args, **kwargs)
    except SchemaRegistryError as error:
        raise _meant(error) from None
    except Exception as error:  # noqa: BLE001 - sockets, TLS, what is no JSON: no answer, all alike
        raise RegistryAway(_reason(error)) from None


def _meant(error: SchemaRegistryError) -> StreamsError:
    status, code = error.http_status_code, error.error_code
    if status == 404 and code in _NOT_FOUND:
        return _NotFound("not found")
    if status in {409, 422}:
        return SchemaRefused(shorten(error.error_message or f"HTTP {status}", _WORDS))
    if status in {401, 403}:
        return RegistryAway(f"it refuses our credentials: HTTP {status}")
    hint = ", is registry.url right?" if status == 404 else ""
    return RegistryAway(f"it answers HTTP {status}{hint}")


def _reason(error: BaseException) -> str:
    """The system's or TLS's own words, else the kind of error: no text that quotes an address."""
    at: BaseException | None = error
    while at is not None:
        if isinstance(at, ssl.SSLError):
            return f"TLS: {getattr(at, 'verify_message', '') or at.reason}"
        if isinstance(at, OSError) and at.strerror:
            return at.strerror
        at = at.__cause__ or at.__context__
    return type(error).__name__
