"""The tables of the settings file: what each setting is, its default and its limits."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from .mapping import Mapping
from .ordergroove_api import Api, Merchant
from .values import Begin, Duration, FlowsFrom, Moment, Zone


class Group(BaseModel):
    """A table of the settings file."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Kafka(Group):
    """Where Kafka is and how to be let in."""

    bootstrap: str = Field("localhost:9092", description="Brokers, `host:port,host:port`.")
    protocol: Literal["classic", "consumer"] = Field(
        "classic",
        description="Rebalance protocol: `classic` (cooperative-sticky) or `consumer` (KIP-848).",
    )
    instance_id: str | None = Field(
        None, description="Static membership: a name that a restart keeps. None: dynamic."
    )
    properties: dict[str, str] = Field(
        default_factory=dict,
        repr=False,  # a password may be among them
        description="Any librdkafka property, such as `security.protocol` and `sasl.*`.",
    )
    password: SecretStr | None = Field(
        None, description="`sasl.password`, from the environment or a secret file."
    )


class Topics(Group):
    """How `streams topics create` makes topics."""

    partitions: int = Field(12, ge=1, description="Partitions of every topic: fixed for good.")
    replication: int = Field(3, ge=1, description="Replicas of every topic.")


class Ordergroove(Group):
    """How Ordergroove's values are read."""

    source_zone: Zone = Field(
        "America/Chicago", description="Zone of times that say none (REST entities, snapshots)."
    )
    phone_region: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] = Field(
        "US", description="Country of phone numbers without a country code."
    )
    mapping: Mapping | None = Field(
        None, description="How a merchant's own records are read: `avro_schemas/README.md`."
    )
    api: dict[Merchant, Api] = Field(
        default_factory=dict, description="Merchant → how its account is asked (REST)."
    )


class Derive(Group):
    """The derive role."""

    guarantee: Literal["exactly_once", "at_least_once"] = Field(
        "exactly_once", description="`at_least_once` is for brokers without transactions."
    )
    late_after: Duration = Field(
        timedelta(hours=1),
        description="A stale event whose record is older than this is data only (`late`).",
    )
    history: Literal["complete", "synced", "live"] = Field(
        "live",
        description="What the topic knows of the past: `complete` (everything since the first"
        " subscription), `synced` (from the end of a merchant's first `streams sync` on, who is"
        " unknown is new) or `live` (nothing).",
    )
    synced_at: Moment | None = Field(
        None,
        description="When all rows had been seeded otherwise than by `streams sync`: from then on"
        " their past is known, and (`history = synced`) whoever is unknown is new. Loyalty members"
        " need it, as no sync brings them.",
    )
    flows_from: FlowsFrom = Field(
        "start",
        description="Older events are data only (`late`): derive's first `start`, the topic's"
        " `beginning`, or a time.",
    )
    mode: Literal["derived", "native"] = Field(
        "derived",
        description="`native` passes the source's own subscriber events on and concludes none.",
    )
    native_subscriptions_created: bool = Field(
        default=False,
        description="Pass the source's own subscriber.subscriptions_created on, and conclude none.",
    )
    cancel_settle: Duration = Field(
        timedelta(0),
        description="How long subscriber.cancel waits for another live subscription.",
    )
    checkout_settle: Duration = Field(
        timedelta(seconds=5),
        description="How long a checkout waits for its further subscriptions.",
    )
    card_expiration_warnings: bool = Field(
        default=False,
        description="Conclude `order.credit_card_expiration_warning` on the 1st and 15th, from"
        " payments and next orders: for shops whose source never sends it.",
    )
    announce: list[Literal["import", "state"]] = Field(
        default_factory=list,
        description="Let imports, or records of kind `state`, start flows.",
    )
    state_store: Literal["memory", "rocksdb"] = Field(
        "memory",
        description="Where subscribers' rows are: in `memory`, or on disk, which may be larger.",
    )
    state_directory: Path = Field(
        Path("state"),
        description="`rocksdb`: where its files are; each worker has a directory of its own there,"
        " named by `kafka.instance_id` or else by the host.",
    )
    state_cache: int = Field(
        64, ge=8, description="`rocksdb`: its memory in MiB, whatever the size of the state."
    )


class Rekey(Group):
    """The role rekey, in front of derive."""

    topic: str | None = Field(
        None,
        description="A topic of the source's records that is keyed otherwise: `worker rekey` writes"
        " them to the source topic by customer.",
    )
    start: Begin = Field(
        "beginning",
        description="Where in it the first start begins: its `beginning`, its `end` or a time.",
    )
    guarantee: Literal["exactly_once", "at_least_once"] = Field(
        "exactly_once", description="`at_least_once` is for brokers without transactions."
    )


class Hydrate(Group):
    """The role hydrate, in front of derive."""

    topic: str | None = Field(
        None,
        description="The topic that `worker hydrate` reads, and that ingest, sync and erase write"
        " to then; it fills what records lack and writes them to the source topic. None: no"
        " hydrate.",
    )
    patience: Annotated[Duration, Field(ge=timedelta(0), le=timedelta(minutes=5))] = Field(
        timedelta(seconds=30),
        description="How long a record waits for Ordergroove's API at most while that may be asked;"
        " then it goes on without (`streams-unhydrated`). `0s`: nothing is asked.",
    )
    product_age: Duration = Field(
        timedelta(hours=1), description="How long a product that the API told is not asked again."
    )
    state_store: Literal["memory", "rocksdb"] = Field(
        "memory",
        description="Where the entities seen are: in `memory`, or on disk, in"
        " `derive.state_directory`, with `derive.state_cache`.",
    )
    guarantee: Literal["exactly_once", "at_least_once"] = Field(
        "exactly_once", description="`at_least_once` is for brokers without transactions."
    )


class Registry(Group):
    """Where Avro schemas are registered."""

    url: str | None = Field(
        None, description="Confluent-compatible registry. None: the files of `avro_schemas/`."
    )
    username: str | None = Field(None, description="User, or API key.")
    password: SecretStr | None = Field(
        None, description="Password, or API secret: from the environment or a secret file."
    )
    ca_file: Path | None = Field(None, description="Certificates that it is trusted by.")
    certificate_file: Path | None = Field(None, description="Our certificate (mutual TLS).")
    key_file: Path | None = Field(None, description="The key of our certificate.")
    patience: Duration = Field(
        timedelta(seconds=60),
        description="How long an id that the registry does not know is waited for.",
    )


class Breaker(Group):
    """When failures of many are taken for a failure of ours, and the flow stops."""

    share: float = Field(
        0.2, gt=0, le=1, description="It stops when more than this share fail alike …"
    )
    at_least: int = Field(200, ge=1, description="… of at least so many …")
    within: Duration = Field(timedelta(minutes=1), description="… in this time.")
    retry: Duration = Field(
        timedelta(seconds=30), description="How long after a stop it looks whether it works again."
    )


SHORTEST_STALL = timedelta(seconds=90)
"""What the engine does at a broker that is away is bounded, all in all, by a little less."""


def _stall_timeout(value: timedelta) -> timedelta:
    if timedelta(0) < value < SHORTEST_STALL:
        raise ValueError("at least 90s, as long as a publication may take; or 0s: never")
    return value


class Worker(Group):
    """How a process runs."""

    stall_timeout: Annotated[Duration, AfterValidator(_stall_timeout)] = Field(
        timedelta(minutes=2),
        description="A process that makes no progress for so long, though it could, ends with exit"
        " code 71; `0s`: never.",
    )


class Logs(Group):
    """What a process writes on standard error."""

    format: Literal["console", "json"] = Field(
        "console", description="Lines for people, or one JSON object a line."
    )
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="From which level on; `DEBUG` tells of every delivery."
    )


class Web(Group):
    """Health and metrics of a process."""

    port: int = Field(6066, ge=0, le=65535, description="HTTP port of the process; 0: any free.")
    host: str = Field("127.0.0.1", description="Address that it listens on.")
