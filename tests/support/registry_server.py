"""A schema registry over real HTTP, by Confluent's REST API, as far as this program asks it.

It is switched off and on at its address, may want a password, TLS and a client's certificate, and
answers as told instead of working. Ids belong to texts, whatever the subject, as in Confluent's.
https://docs.confluent.io/platform/current/schema-registry/develop/api.html
"""

from __future__ import annotations

import base64
import json
import re
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from urllib.parse import unquote, urlparse

import avro.schema
from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType
from typing_extensions import override

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping
    from types import TracebackType

FIRST_ID = 4001
"""Far from the ids of our own files: nothing passes by chance."""

Answer = tuple[int, Any]


class Schema(NamedTuple):
    """A schema as it was posted."""

    text: str
    kind: str
    references: tuple[tuple[str, str, int], ...]

    def body(self) -> dict[str, Any]:
        """As the API shows it: Avro, the usual kind, is not named."""
        kind = {} if self.kind == "AVRO" else {"schemaType": self.kind}
        names = ("name", "subject", "version")
        references = [dict(zip(names, each, strict=True)) for each in self.references]
        return {"schema": self.text, **kind, **({"references": references} if references else {})}


def posted(body: Mapping[str, Any]) -> Schema:
    """The schema of a request's body."""
    references = [(r["name"], r["subject"], r["version"]) for r in body.get("references") or ()]
    return Schema(body["schema"], body.get("schemaType") or "AVRO", tuple(references))


class RegistryServer:
    """A registry in a thread; a context manager, which switches it on.

    Attributes:
        asked: requests that arrived, by method and path.
        instead: answered to everything, if set: a status and a body.
        instead_of_ids: answered to those who ask for an id, if set.
    """

    def __init__(
        self, *, login: tuple[str, str] | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        self.asked: Counter[str] = Counter()
        self.instead: Answer | None = None
        self.instead_of_ids: Answer | None = None
        self.login = login
        self._tls = tls
        self._port = 0
        self._ids: dict[Schema, int] = {}
        self._subjects: dict[str, list[Schema]] = {}
        self._server: ThreadingHTTPServer | None = None

    def __enter__(self) -> Self:
        self.switch_on()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.switch_off()

    @property
    def url(self) -> str:
        """Its address, the same each time that it is on."""
        return f"{'http' if self._tls is None else 'https'}://localhost:{self._port}"

    def switch_on(self) -> None:
        """Listen."""
        server = ThreadingHTTPServer(("127.0.0.1", self._port), _handler(self))
        server.daemon_threads = True
        if self._tls is not None:
            server.socket = self._tls.wrap_socket(server.socket, server_side=True)
        self._port, self._server = server.server_port, server
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()

    def switch_off(self) -> None:
        """Refuse connections; what is registered stays."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def register(self, subject: str, text: str, kind: str = "AVRO") -> int:
        """Put a schema under a subject, without a request; its id."""
        return int(self._add(subject, Schema(text, kind, ()))["id"])

    @property
    def next_id(self) -> int:
        """The id that the next new schema will get."""
        return FIRST_ID + len(self._ids)

    def text(self, number: int) -> str:
        """The text of an id, without a request."""
        return next(schema.text for schema, each in self._ids.items() if each == number)

    def answer(self, method: str, path: str, body: Any) -> Answer:
        """What a request is answered."""
        self.asked[f"{method} {path}"] += 1
        if self.instead is not None:
            return self.instead
        if found := re.fullmatch(r"/schemas/ids/(\d+)", path):
            return self.instead_of_ids or self._by_id(int(found[1]))
        if found := re.fullmatch(r"/subjects/([^/]+)(/versions)?(?:/(\d+))?", path):
            subject, versions, number = unquote(found[1]), found[2], found[3]
            if method == "POST":
                return self._posted(subject, posted(body), new=versions is not None)
            return self._versions(subject, number)
        return 404, {"error_code": 404, "message": "HTTP 404 Not Found"}

    def _by_id(self, number: int) -> Answer:
        for schema, each in self._ids.items():
            if each == number:
                return 200, schema.body()
        return 404, {"error_code": 40403, "message": f"Schema {number} not found"}

    def _posted(self, subject: str, schema: Schema, *, new: bool) -> Answer:
        known = self._subjects.get(subject, [])
        if new and schema not in known and known and not _reads(schema, known[-1]):
            return 409, {
                "error_code": 409,
                "message": "Schema being registered is incompatible with an earlier schema for"
                f' subject "{subject}"',
            }
        if new:
            return 200, self._add(subject, schema)
        if subject not in self._subjects:
            return 404, {"error_code": 40401, "message": f"Subject '{subject}' not found."}
        if schema not in known:
            return 404, {"error_code": 40403, "message": "Schema not found"}
        return 200, self._shown(subject, schema)

    def _versions(self, subject: str, number: str | None) -> Answer:
        if subject not in self._subjects:
            return 404, {"error_code": 40401, "message": f"Subject '{subject}' not found."}
        schemas = self._subjects[subject]
        if number is None:
            return 200, list(range(1, len(schemas) + 1))
        if not 0 < int(number) <= len(schemas):
            return 404, {"error_code": 40402, "message": f"Version {number} not found."}
        return 200, self._shown(subject, schemas[int(number) - 1])

    def _add(self, subject: str, schema: Schema) -> dict[str, Any]:
        self._ids.setdefault(schema, self.next_id)
        known = self._subjects.setdefault(subject, [])
        if schema not in known:
            known.append(schema)
        return self._shown(subject, schema)

    def _shown(self, subject: str, schema: Schema) -> dict[str, Any]:
        version = self._subjects[subject].index(schema) + 1
        names = {"subject": subject, "id": self._ids[schema], "version": version}
        return names | schema.body()


def _reads(reader: Schema, writer: Schema) -> bool:
    """Whether records of one are read by the other: level BACKWARD, the default."""
    checker = ReaderWriterCompatibilityChecker()  # type: ignore[no-untyped-call]
    pair = avro.schema.parse(reader.text), avro.schema.parse(writer.text)
    found = checker.get_compatibility(*pair)
    return found.compatibility is SchemaCompatibilityType.compatible


def _handler(registry: RegistryServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            path = urlparse(self.path).path
            status, answer = (
                registry.answer(self.command, path, body)
                if self._let_in()
                else (401, {"error_code": 401, "message": "Unauthorized"})
            )
            data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def _let_in(self) -> bool:
            if registry.login is None:
                return True
            wanted = base64.b64encode(":".join(registry.login).encode()).decode()
            return self.headers.get("Authorization") == f"Basic {wanted}"

        @override
        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler
