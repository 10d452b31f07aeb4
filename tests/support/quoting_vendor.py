"""A vendor that quotes whatever it is sent: key, address and body stand in each of its answers."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from typing_extensions import override

if TYPE_CHECKING:
    from types import TracebackType

_PHONE = "/data/attributes/profile/data/attributes/phone_number"


class _Answer(NamedTuple):
    """A status, a pointer of its error, and headers that quote."""

    status: int
    pointer: str = "/data/attributes/time"
    headers: tuple[str, ...] = ()


_ANSWERS = (
    _Answer(400),
    _Answer(400, _PHONE),
    _Answer(202, headers=("X-Klaviyo-Partial-Failure",)),
    _Answer(500),
    _Answer(422, "/data"),
    _Answer(207),
    _Answer(409),
    _Answer(202),
    _Answer(429, headers=("Retry-After", "X-Said")),
    _Answer(413),
    _Answer(202),
)


class QuotingVendor:
    """A server in a thread; a context manager.

    Attributes:
        asked: method, address and headers but the key's, of each request.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._answers = cycle(_ANSWERS)
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, request: BaseHTTPRequestHandler, body: bytes) -> tuple[_Answer, bytes]:
        """The next answer, and its body."""
        others = [pair for pair in request.headers.items() if pair[0].lower() != "authorization"]
        with self._lock:
            self.asked.append(json.dumps([request.command, request.path, others]))
            answer = next(self._answers)
        said = f"{request.headers['Authorization']} sent {body.decode()}"
        error: dict[str, Any] = {"status": answer.status, "title": said, "detail": said}
        error |= {"code": said, "source": {"pointer": answer.pointer, "value": said}}
        return answer, json.dumps({"errors": [error]}).encode()


def _handler(vendor: QuotingVendor) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer, said = vendor.answer(self, body)
            self.send_response(answer.status)
            self.send_header("Content-Type", "application/vnd.api+json")
            self.send_header("Content-Length", str(len(said)))
            for name in answer.headers:
                self.send_header(name, body.decode().replace("\n", " ").encode().decode("latin-1"))
            self.end_headers()
            self.wfile.write(said)

        do_GET = do_POST  # noqa: N815 - what somebody asks to see whether the key works

        @override
        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler
