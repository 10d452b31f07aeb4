"""deploy/kubernetes as the cluster would get it, and questions to it."""

from __future__ import annotations

import itertools
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from tests.support.kustomize import Document, build, pod_of

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER: Final = Path(__file__).parents[2] / "deploy" / "kubernetes"
BASE: Final = FOLDER / "base"
OVERLAYS: Final = sorted((FOLDER / "overlays").iterdir())
BUILT: Final = [BASE, *OVERLAYS]
COMPONENT: Final = "app.kubernetes.io/component"


@cache
def built(folder: Path) -> list[Document]:
    """What kustomize makes of a folder."""
    return build(folder)


def of_kind(folder: Path, *kinds: str) -> list[Document]:
    """Its documents of these kinds."""
    return [each for each in built(folder) if each["kind"] in kinds]


def workloads(folder: Path) -> list[Document]:
    """What has pods."""
    return [each for each in built(folder) if pod_of(each) is not None]


def pod(document: Document) -> Document:
    """The pod's spec of a workload."""
    found = pod_of(document)
    assert found is not None, document["kind"]
    return found


def container(document: Document) -> Document:
    """A workload's one container."""
    [found] = pod(document)["containers"]
    assert isinstance(found, dict)
    return found


def role(document: Document) -> str:
    """What its pods are."""
    return str(document["spec"]["template"]["metadata"]["labels"][COMPONENT])


def labels(document: Document) -> Document:
    """Those of a workload's pods."""
    found: Document = document["spec"]["template"]["metadata"]["labels"]
    return found


def mounts(document: Document) -> dict[str, Document]:
    """Where in its container → the volume's source; of a claim that it makes: that."""
    claims = document["spec"].get("volumeClaimTemplates", ())
    sources = {each["metadata"]["name"]: {"claim": each} for each in claims}
    sources |= {each["name"]: each for each in pod(document).get("volumes", ())}
    return {
        each["mountPath"]: sources[each["name"]] for each in container(document)["volumeMounts"]
    }


def settings_text(folder: Path) -> str:
    """The settings file that its pods have."""
    [found] = of_kind(folder, "ConfigMap")
    return str(found["data"]["streams.toml"])


def chosen(selector: Document, of: Document) -> bool:
    """Whether a selector chooses what has these labels."""
    same = selector.get("matchLabels", {}).items() <= of.items()
    return same and all(_fits(each, of) for each in selector.get("matchExpressions", ()))


def _fits(expression: Document, of: Document) -> bool:
    assert expression["operator"] == "In", expression
    return of.get(expression["key"]) in expression["values"]


def files() -> set[Path]:
    """Every file of the folder."""
    return {each for each in FOLDER.rglob("*") if each.is_file()}


def used() -> set[Path]:
    """Every file that some kustomization.yaml names, and those themselves."""
    found = set()
    for told in FOLDER.rglob("kustomization.yaml"):
        found.add(told)
        found |= {
            each
            for each in _named(told.parent, yaml.safe_load(told.read_text()))
            if not each.is_dir()
        }
    return found


def _named(folder: Path, told: Any) -> Iterator[Path]:
    generated = (each["files"] for each in told.get("configMapGenerator", ()))
    patched = (each["path"] for each in told.get("patches", ()) if "path" in each)
    for name in itertools.chain(told.get("resources", ()), patched, *generated):
        yield (folder / name).resolve()
