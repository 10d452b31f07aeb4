"""All of docker-compose.yml on this machine: its commands as processes, on a real broker.

There is no Docker in it: what images, mounts and networks do is not shown. What is shown: what the
program makes of the commands, variables, settings and secrets of each service.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
import yaml

from streams.destinations import DESTINATIONS
from streams.engine.admin import TopicSpec, create_topics
from streams.engine.kafka import KafkaSettings
from tests.support.composed import COMPOSE, PATIENCE, Composed, compose
from tests.support.prometheus import DEPLOY, Prometheus
from tests.support.registry_server import RegistryServer
from tests.support.webhooks import MERCHANT, webhook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PARTITIONS = 2
"""Fewer than the settings' twelve: the tests share one small broker."""


@pytest.fixture(scope="module")
def composed(broker: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Composed]:
    """Everything, `rekey` and its topic too."""
    prefix = f"compose-{time.monotonic_ns()}"
    directory = tmp_path_factory.mktemp("composed")
    [topic] = [
        word.partition("=")[2]
        for word in compose()["services"]["shop-topic"]["command"]
        if word.startswith("--topic=")
    ]
    ours = f"{prefix}.shop"
    specs = [TopicSpec(name=ours, partitions=PARTITIONS, replication=1, config={})]
    create_topics(KafkaSettings(bootstrap=broker), specs)
    with RegistryServer() as registry:
        texts = {
            "kafka:9092": broker,
            "http://schema-registry:8081": registry.url,
            'prefix = "og"': f'prefix = "{prefix}"',
            '"og.': f'"{prefix}.',
            topic: ours,
        }
        more = {"STREAMS_TOPICS__PARTITIONS": str(PARTITIONS)}
        with Composed(directory, texts, more) as found:
            yield found


def until(composed: Composed, holds: Callable[[], bool], what: str) -> None:
    """Wait for something while every service goes on."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        composed.check()
        assert time.monotonic() < deadline, f"not in {PATIENCE:.0f} s: {what}"
        time.sleep(0.2)


def signed(body: bytes) -> dict[str, str]:
    """The header of a webhook of Ordergroove's, by the key of the file that the service has."""
    key = (COMPOSE.parent / compose()["secrets"]["ordergroove-route"]["file"]).read_text().strip()
    at = f"{time.time():.0f}"
    digest = hmac.new(key.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return {"Ordergroove-Signature": f"ts={at},sig={digest}"}


def taken(composed: Composed, vendor: str) -> list[Any]:
    """Posts that a vendor's simulator answered well."""
    url = f"http://{composed.at[vendor]}:8080"
    with closing(httpx2.Client(base_url=url, timeout=30, trust_env=False)) as client:
        requests = client.get("/_control/requests").json()["requests"]
    return [
        each for each in requests if each["method"] == "POST" and each["status"] in range(200, 300)
    ]


def test_every_service_is_healthy(composed: Composed) -> None:
    """By the image's own health check, where each one's variables point it."""
    found = {name: composed.healthy(name) for name in composed.names}

    assert dict.fromkeys(composed.names, 0) == found


def bare_webhook(composed: Composed) -> bytes:
    """Somebody of the simulated shop subscribes again; who it is, only Ordergroove's API says."""
    headers = {"x-api-key": "key_simulator", "x-og-api-version": "2"}
    url = f"http://{composed.at['ordergroove']}:8080"
    with closing(httpx2.Client(base_url=url, timeout=30, trust_env=False)) as client:
        [had] = client.get("/subscriptions", params={"page_size": 1}, headers=headers).json()[
            "results"
        ]
    now = int(time.time())
    changed = {"public_id": f"new-{now}", "created": now, "updated": now, "live": True}
    return webhook("subscription.create", had | changed, now)


def test_a_webhook_arrives_at_every_vendor(composed: Composed) -> None:
    """Through ingest, hydrate, which asks for what it lacks, derive and deliver."""
    before = {vendor: taken(composed, vendor) for vendor in DESTINATIONS}
    body = bare_webhook(composed)
    url = f"http://{composed.at['ingest']}:6067/webhooks/ordergroove/{MERCHANT}"
    said = httpx2.post(url, content=body, headers=signed(body), trust_env=False)
    unsigned = httpx2.post(url, content=body, trust_env=False)

    assert not any(before.values())  # a sync tells nobody
    assert (200, 401) == (said.status_code, unsigned.status_code)
    for vendor in DESTINATIONS:
        until(composed, lambda of=vendor: bool(taken(composed, of)), f"{vendor} got something")  # type: ignore[misc]


def test_prometheus_finds_and_scrapes_every_job(composed: Composed, tmp_path: Path) -> None:
    """By the names and ports of the deployed file, which are those of services."""
    told = yaml.safe_load((DEPLOY / "prometheus.yml").read_text())
    jobs = {}
    for job in told["scrape_configs"]:
        for found in job.get("dns_sd_configs", ()):
            [name] = found["names"]
            jobs[job["job_name"]] = f"{composed.at[name]}:{found['port']}"
    with Prometheus(tmp_path, jobs) as prometheus:
        prometheus.until(
            lambda: dict.fromkeys(jobs, 1.0) == prometheus.sums("up", "job"), "all are up"
        )
        counted = prometheus.query("streams_partitions or streams_sync_age_seconds")

    assert {"derive", "deliver", "hydrate", "rekey"} <= {labels["job"] for labels, _ in counted}
