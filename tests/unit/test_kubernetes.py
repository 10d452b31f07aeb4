"""deploy/kubernetes: every document keeps its schema, and all of them speak of the same things.

Schemas are those of Kubernetes itself; of what others bring (KEDA, Prometheus' operator), by hand,
what of theirs is used here. What kustomize makes of the files is made by `tests.support.kustomize`.
"""

from __future__ import annotations

import inspect
import re
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import kubernetes_validate
import pytest
import yaml
from click.testing import CliRunner

from streams.cli import commands
from streams.cli.composition import names_of, sources_of, topics_of
from streams.cli.console.access import access_of
from streams.engine.worker import run_worker
from streams.settings import load_settings
from tests.support import deployed
from tests.support.composed import image, our_services
from tests.support.kustomize import NotKustomize, build
from tests.support.manifests import (
    BUILT,
    COMPONENT,
    FOLDER,
    OVERLAYS,
    built,
    chosen,
    container,
    files,
    labels,
    mounts,
    of_kind,
    pod,
    role,
    settings_text,
    used,
    workloads,
)
from tests.support.schemas import TEXT, table

if TYPE_CHECKING:
    from streams.settings import Settings

VERSION = "1.35"
OTHERS = {"keda.sh/v1alpha1", "monitoring.coreos.com/v1"}
EACH = pytest.mark.parametrize("folder", BUILT, ids=lambda each: each.name)
EXAMPLES = pytest.mark.parametrize("folder", OVERLAYS, ids=lambda each: each.name)


def several(each: dict[str, Any]) -> dict[str, Any]:
    """A list that is not empty."""
    return {"type": "array", "items": each, "minItems": 1}


_KAFKA = table(
    {"bootstrapServers": TEXT, "consumerGroup": TEXT, "topic": TEXT},
    lagThreshold={"type": "string", "pattern": r"^\d+$"},  # KEDA's metadata are texts
    allowIdleConsumers={"enum": ["true", "false"]},
    version={"type": "string", "pattern": r"^\d+\.\d+\.\d+$"},
    sasl={"enum": ["none", "plaintext", "scram_sha256", "scram_sha512"]},
    tls={"enum": ["enable", "disable"]},
)
_SCALING = table(
    {
        "stabilizationWindowSeconds": {"type": "integer", "minimum": 0, "maximum": 3_600},
        "policies": several(
            table(
                {
                    "type": {"enum": ["Pods", "Percent"]},
                    "value": {"type": "integer", "minimum": 1},
                    "periodSeconds": {"type": "integer", "minimum": 1, "maximum": 1_800},
                }
            )
        ),
    }
)
_BEHAVIOR = table({"behavior": table({"scaleUp": _SCALING, "scaleDown": _SCALING})})
SCHEMAS = {
    "ScaledObject": table(
        {
            "scaleTargetRef": table({"apiVersion": TEXT, "kind": TEXT, "name": TEXT}),
            "minReplicaCount": {"type": "integer", "minimum": 0},
            "maxReplicaCount": {"type": "integer", "minimum": 1},
            "triggers": several(
                table(
                    {"type": {"const": "kafka"}, "metadata": _KAFKA},
                    authenticationRef=table({"name": TEXT}),
                )
            ),
        },
        pollingInterval={"type": "integer", "minimum": 1},
        advanced=table({"horizontalPodAutoscalerConfig": _BEHAVIOR}),
    ),
    "TriggerAuthentication": table(
        {"secretTargetRef": several(table({"parameter": TEXT, "name": TEXT, "key": TEXT}))}
    ),
    "PodMonitor": table(
        {
            "jobLabel": TEXT,
            "selector": table(
                {},
                matchLabels={"type": "object"},
                matchExpressions=several(
                    table({"key": TEXT, "operator": TEXT, "values": several(TEXT)})
                ),
            ),
            "podMetricsEndpoints": several(
                table({"port": TEXT, "path": TEXT}, interval=TEXT, scrapeTimeout=TEXT)
            ),
        }
    ),
}
"""What of others' kinds is used here, by their documents."""


@pytest.fixture
def settings(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings that every pod of an overlay has, its Secrets as the kubelet lays them out."""
    (tmp_path / "streams.toml").write_text(settings_text(folder))
    secrets = tmp_path / "shared"
    [shared] = [
        each["stringData"]
        for each in of_kind(folder, "Secret")
        if each["metadata"]["name"] == "streams-shared"
    ] or [{}]
    inner = secrets / "..2026_11_22_05_40_00.123456789"
    inner.mkdir(parents=True)
    (secrets / "..data").symlink_to(inner.name)
    for name, value in shared.items():
        (inner / name).write_text(value)
        (secrets / name).symlink_to(Path("..data") / name)
    monkeypatch.setenv("STREAMS_SECRETS_DIR", str(secrets))
    for name, value in image().environment.items():
        monkeypatch.setenv(name, value)
    return load_settings(tmp_path / "streams.toml")


# ---------------------------------------------------------------- documents


@EACH
def test_every_document_keeps_its_schema(folder: Path) -> None:
    """Strictly: a field that Kubernetes does not know is one that does nothing."""
    wrong = []
    for each in built(folder):
        if each["apiVersion"] in OTHERS:
            jsonschema.validate(each["spec"], SCHEMAS[each["kind"]])
            assert set(each) <= {"apiVersion", "kind", "metadata", "spec"}
            continue
        try:
            kubernetes_validate.validate(each, VERSION, strict=True)
        except (
            kubernetes_validate.ValidationError,
            kubernetes_validate.VersionNotSupportedError,
        ) as error:
            wrong.append(f"{each['kind']} {each['metadata']['name']}: {error}")

    assert [] == wrong


def test_every_file_is_used() -> None:
    """And every file that is named is there, else nothing could be built."""
    assert files() == used()


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    """A patch for nobody, and a file that is missing, would go unnoticed otherwise."""
    copied = shutil.copytree(FOLDER, tmp_path / "kubernetes")
    derive = copied / "overlays" / "example" / "derive.yaml"
    derive.write_text(derive.read_text().replace("name: derive", "name: deriv"))
    with pytest.raises(NotKustomize, match="deriv"):
        build(derive.parent)
    derive.unlink()
    with pytest.raises(NotKustomize, match=r"derive\.yaml"):
        build(derive.parent)


@pytest.mark.long
@EACH
def test_kubectl_makes_the_same(folder: Path) -> None:
    """Names of ConfigMaps among it, which follow from what they hold."""
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl is not installed")
    made = subprocess.run([kubectl, "kustomize", folder], check=True, capture_output=True).stdout
    theirs = {_name(each): each for each in yaml.safe_load_all(made)}

    assert theirs == {_name(each): each for each in built(folder)}


def _name(document: Any) -> tuple[str, str]:
    return document["kind"], document["metadata"]["name"]


# ---------------------------------------------------------------- one speaks of the other


@EACH
def test_selectors_choose_the_pods_of_their_role(folder: Path) -> None:
    """Those of workloads, Services and budgets, and nobody else's."""
    pods = {role(each): labels(each) for each in workloads(folder)}
    found = {}
    for each in of_kind(folder, "Deployment", "StatefulSet", "PodDisruptionBudget", "Service"):
        told = each["spec"]["selector"]
        selector = {"matchLabels": told} if each["kind"] == "Service" else told
        found[_name(each)] = [name for name, of in pods.items() if chosen(selector, of)]

    assert {name: [name[1]] for name in found} == found
    for each in of_kind(folder, "StatefulSet"):
        assert ("Service", each["spec"]["serviceName"]) in found
    several = {_name(each)[1] for each in workloads(folder) if _replicas(folder, each) > 1}
    assert several == {name for kind, name in found if kind == "PodDisruptionBudget"}


def _replicas(folder: Path, document: Any) -> int:
    name = document["metadata"]["name"]
    for each in of_kind(folder, "ScaledObject"):
        if each["spec"]["scaleTargetRef"]["name"] == name:
            return int(each["spec"]["minReplicaCount"])
    return int(document["spec"].get("replicas", 1))


@EACH
def test_every_role_of_compose_is_there(folder: Path) -> None:
    """With the same command; but those that stand in front of it all, and simulators."""
    here = {role(each): container(each)["args"] for each in workloads(folder)}
    there = {name: each["command"] for name, each in our_services().items() if "command" in each}
    stays = {name: args for name, args in here.items() if name != "prepare"}
    once = [container(each)["args"] for each in of_kind(folder, "Job")]

    assert {name: there[name][:2] for name in stays} == {n: a[:2] for n, a in stays.items()}
    assert {"ingest", "sync", "hydrate", "derive", "deliver", "console"} == set(stays)
    assert [there["topics"], there["schemas"]] == once


@EACH
def test_every_command_exists(folder: Path) -> None:
    """As far as `--help` can say: command and options."""
    for each in workloads(folder):
        args = container(each)["args"]
        result = CliRunner().invoke(commands, [*args, "--help"])

        assert (0, args) == (result.exit_code, args), result.output


@EACH
def test_every_variable_and_setting_is_one(folder: Path, settings: Settings) -> None:
    """The settings file is read whole; every variable of a pod is known, and once."""
    known = {name.upper() for name in type(settings).model_fields} | {"SETTINGS", "SECRETS_DIR"}
    for each in workloads(folder):
        env = [one["name"] for one in container(each)["env"]]
        tops = {name.removeprefix("STREAMS_").split("__")[0] for name in env}

        assert len(env) == len(set(env))
        assert tops <= known
    assert settings.web.host == settings.ingest.host == settings.console.host == "0.0.0.0"  # noqa: S104 - a pod's


@EACH
def test_files_that_settings_name_are_mounted(folder: Path, settings: Settings) -> None:
    """Each role has the secrets that it uses, the state is on its claim, and Secrets have those."""
    secrets = {
        each["metadata"]["name"]: set(each.get("stringData", {}))
        for each in of_kind(folder, "Secret")
    }
    connections: list[Path | None] = [
        each.credentials_file for each in settings.connections.values()
    ]
    apis = [each.key_file for each in settings.ordergroove.api.values()]
    routes: list[Path | None] = [
        each.keys_file
        for addresses in (settings.ingest.ordergroove, settings.ingest.okendo)
        for each in addresses.values()
    ]
    tokens = [settings.console.view_token_file, settings.console.operate_token_file]
    wanted: dict[str, list[Path | None]] = {
        "deliver": connections, "sync": apis, "hydrate": apis, "ingest": routes,
        "console": tokens + connections,
    }  # fmt: skip
    for each in workloads(folder):
        mounted = mounts(each)
        for path in wanted.get(role(each), ()):
            assert path is not None
            secret = mounted[str(path.parent)]["secret"]["secretName"]
            if secrets:
                assert path.name in secrets[secret]
        if role(each) in {"derive", "hydrate"}:
            assert settings.derive.state_directory.is_relative_to("/var/lib/streams")
            assert "claim" in mounted["/var/lib/streams"]
    if secrets:
        used_here = {
            source["secret"]["secretName"]
            for each in workloads(folder)
            for source in mounts(each).values()
            if "secret" in source
        }
        scalers = {
            one["name"]
            for each in of_kind(folder, "TriggerAuthentication")
            for one in each["spec"]["secretTargetRef"]
        }
        assert set(secrets) == used_here | scalers


@EACH
def test_the_environment_names_mounted_places(folder: Path) -> None:
    """The settings file is where its variable says; the secret files are where theirs does."""
    for each in workloads(folder):
        env = {one["name"]: one.get("value") for one in container(each)["env"]}
        mounted = mounts(each)
        [config_map] = of_kind(folder, "ConfigMap")
        source = mounted[str(Path(env["STREAMS_SETTINGS"]).parent)]

        assert config_map["metadata"]["name"] == source["configMap"]["name"]
        assert Path(env["STREAMS_SETTINGS"]).name in config_map["data"]
        assert mounted[env["STREAMS_SECRETS_DIR"]]["secret"]["secretName"] == "streams-shared"


@EXAMPLES
def test_the_console_lets_people_in(folder: Path, settings: Settings, tmp_path: Path) -> None:
    """By the example's tokens, on an address that others reach."""
    [tokens] = [
        each["stringData"]
        for each in of_kind(folder, "Secret")
        if each["metadata"]["name"] == "streams-console"
    ]
    for name, token in tokens.items():
        (tmp_path / name).write_text(token)
    told = settings.console.model_copy(
        update={f"{name}_token_file": tmp_path / name for name in tokens}
    )
    access = access_of(settings.model_copy(update={"console": told}), "0.0.0.0")  # noqa: S104 - as in a pod

    assert {"view", "operate"} == {access.role_of(token) for token in tokens.values()}


@EACH
def test_ports_are_those_that_roles_listen_on(folder: Path, settings: Settings) -> None:
    """By the name `http`, to which probes, Services, policies and scrapes go."""
    listens = {"ingest": settings.ingest.port, "console": settings.console.port}
    for each in of_kind(folder, "Deployment", "StatefulSet"):
        told = container(each)

        assert [{"name": "http", "containerPort": listens.get(role(each), settings.web.port)}] == [
            {"name": one["name"], "containerPort": one["containerPort"]} for one in told["ports"]
        ]
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            assert told[probe]["httpGet"]["port"] == "http"
    for each in of_kind(folder, "Service"):
        assert ["http"] == [one["targetPort"] for one in each["spec"]["ports"]]
    for each in of_kind(folder, "Ingress"):
        for rule in each["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                service = path["backend"]["service"]
                [meant] = [
                    one
                    for one in of_kind(folder, "Service")
                    if one["metadata"]["name"] == service["name"]
                ]
                assert service["port"]["name"] in {one["name"] for one in meant["spec"]["ports"]}


@EACH
def test_a_pod_may_do_nothing_that_it_need_not(folder: Path) -> None:
    """What Kubernetes calls `restricted`, a root that is read-only, and limits."""
    for each in workloads(folder):
        told, guard = pod(each), container(each)["securityContext"]
        whole = told["securityContext"]

        assert not told["automountServiceAccountToken"]
        assert not told["enableServiceLinks"]
        assert whole["runAsNonRoot"]
        assert {"type": "RuntimeDefault"} == whole["seccompProfile"]
        assert not guard["allowPrivilegeEscalation"]
        assert guard["readOnlyRootFilesystem"]
        assert {"drop": ["ALL"]} == guard["capabilities"]
        assert {"/tmp", "/var/lib/streams"} <= set(mounts(each))
        assert {"cpu", "memory"} == set(container(each)["resources"]["requests"])
        assert {"memory"} == set(container(each)["resources"]["limits"])


@EACH
def test_times_fit_the_program_s(folder: Path, settings: Settings) -> None:
    """Nobody is ended who would have ended well, and nothing that stands is left so."""
    grace = inspect.signature(run_worker).parameters["grace"].default
    for each in of_kind(folder, "Deployment", "StatefulSet"):
        told = container(each)
        patience = (
            told["livenessProbe"]["periodSeconds"] * told["livenessProbe"]["failureThreshold"]
        )

        assert pod(each)["terminationGracePeriodSeconds"] > 2 * grace
        assert patience > settings.worker.stall_timeout.total_seconds()
        assert ("/livez", "/livez", "/readyz") == tuple(
            told[probe]["httpGet"]["path"]
            for probe in ("startupProbe", "livenessProbe", "readinessProbe")
        )


@EACH
def test_members_are_static_by_their_pod_s_name(folder: Path) -> None:
    """Who is of a group is a StatefulSet's pod; nobody else has a name that stays."""
    named = {
        role(each)
        for each in workloads(folder)
        for one in container(each)["env"]
        if one["name"] == "STREAMS_KAFKA__INSTANCE_ID"
        and one["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.name"
    }

    assert {"derive", "deliver", "hydrate"} == named
    assert named < {role(each) for each in of_kind(folder, "StatefulSet")}


# ---------------------------------------------------------------- network, scaling, scraping


@EACH
def test_nothing_is_open_that_nobody_needs(folder: Path, settings: Settings) -> None:
    """All is denied; each role gets what its work needs: Kafka, DNS, vendors, whoever calls it."""
    policies = of_kind(folder, "NetworkPolicy")
    ports = {int(each.rpartition(":")[2]) for each in settings.kafka.bootstrap.split(",")}
    for each in workloads(folder):
        mine = [p["spec"] for p in policies if chosen(p["spec"]["podSelector"], labels(each))]
        denied = [p for p in mine if not p.get("ingress") and not p.get("egress")]
        out = [rule for p in mine for rule in p.get("egress", ())]
        inside = [peer for p in mine for rule in p.get("ingress", ()) for peer in rule["from"]]
        reached = {port["port"] for rule in out for port in rule["ports"]}
        outward = any("0.0.0.0/0" in str(rule.get("to")) for rule in out)
        callers = {
            peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
            for peer in inside
        }

        assert {"Ingress", "Egress"} in [set(p["policyTypes"]) for p in denied]
        assert {53} | ports <= reached
        assert (role(each) in {"sync", "hydrate", "deliver", "console"}) == outward
        assert ("ingress-nginx" in callers) == (
            role(each) in {"ingress-nginx", "ingest", "console"}
        )
        assert "monitoring" in callers


@EXAMPLES
def test_scaling_follows_groups_that_exist(folder: Path, settings: Settings) -> None:
    """Every group of a scaled role has its trigger, and none more replicas than partitions."""
    names = names_of(settings)
    groups: dict[str, set[tuple[str, str | None]]] = {
        "hydrate": {(names.hydrate_group, settings.hydrate.topic)},
        "derive": {
            (names.derived(source).group, names.derived(source).topic)
            for source in sources_of(settings)
        },
        "deliver": {
            (names.deliver_group(name), names.deliveries(name)) for name in settings.connections
        },
    }
    found = {}
    for each in of_kind(folder, "ScaledObject"):
        spec = each["spec"]
        target = (spec["scaleTargetRef"]["kind"], spec["scaleTargetRef"]["name"])
        [scaled] = [one for one in workloads(folder) if _name(one) == target]
        found[role(scaled)] = {
            (one["metadata"]["consumerGroup"], one["metadata"]["topic"]) for one in spec["triggers"]
        }

        assert "replicas" not in scaled["spec"]  # else each apply would set it back
        assert spec["minReplicaCount"] <= spec["maxReplicaCount"] <= settings.topics.partitions
        for one in spec["triggers"]:
            assert settings.kafka.bootstrap == one["metadata"]["bootstrapServers"]
            assert one["metadata"]["allowIdleConsumers"] == "false"
    assert groups == found
    assert {topic for each in groups.values() for _, topic in each} <= {
        each.name for each in topics_of(settings)
    }


@EXAMPLES
def test_scrapes_have_the_names_that_alerts_go_by(folder: Path) -> None:
    """A job is a role; the roles are those of prometheus.yml, and each is watched by a port."""
    [monitor] = of_kind(folder, "PodMonitor")
    watched = [
        each for each in workloads(folder) if chosen(monitor["spec"]["selector"], labels(each))
    ]
    jobs = {labels(each)[monitor["spec"]["jobLabel"]] for each in watched}

    assert monitor["spec"]["jobLabel"] == COMPONENT
    assert deployed.jobs() - {"prometheus", "rekey"} == jobs
    for each in watched:
        names = {one["name"] for one in container(each)["ports"]}
        assert {one["port"] for one in monitor["spec"]["podMetricsEndpoints"]} <= names


def test_the_image_is_the_dockerfile_s() -> None:
    """Who runs in it, what it listens on, and where it may write."""
    text = (FOLDER.parent / "Dockerfile").read_text()
    [user, group] = re.findall(r"^USER (\d+):(\d+)$", text, re.MULTILINE)[0]
    ports = set(map(int, re.findall(r"^EXPOSE ([\d ]+)$", text, re.MULTILINE)[0].split()))
    for folder in BUILT:
        for each in workloads(folder):
            whole = pod(each)["securityContext"]
            with suppress(KeyError):
                ports -= {one["containerPort"] for one in container(each)["ports"]}

            assert (int(user), int(group)) == (whole["runAsUser"], whole["runAsGroup"])
            assert "ordergroove-streams" in container(each)["image"]
    assert set() == ports
    assert re.findall(r"^WORKDIR (.*)$", text, re.MULTILINE)[-1] == "/var/lib/streams"
