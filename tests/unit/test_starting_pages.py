"""What a process answers while it waits for what it needs before it starts."""

from __future__ import annotations

import httpx2

from streams.demo.broker import free_ports
from streams.health import starting_pages


def test_it_is_alive_not_ready_and_has_webhooks_come_again() -> None:
    """A vendor gets the answer that it gets while Kafka is away; then the port is free."""
    [port] = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    with starting_pages("127.0.0.1", port), httpx2.Client(base_url=url) as client:
        pages = [client.get(path).status_code for path in ("/livez", "/readyz", "/other")]
        webhook = client.post("/webhooks/ordergroove/m1", content=b"x" * 200_000)
    with starting_pages("127.0.0.1", port), httpx2.Client(base_url=url) as client:
        again = client.get("/livez").status_code

    assert [200, 503, 404] == pages
    assert (503, "30") == (webhook.status_code, webhook.headers["retry-after"])
    assert 200 == again
