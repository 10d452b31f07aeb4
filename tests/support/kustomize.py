"""As much of kustomize as deploy/kubernetes uses: what `kubectl kustomize` makes, as documents.

What it meets and does not know it refuses, so that nothing is passed over. Built by the words of
https://kubectl.docs.kubernetes.io/references/kustomize/; beside `kubectl` it is held by a test.
"""

from __future__ import annotations

import copy
import hashlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

Document = dict[str, Any]

_KNOWN: Final = {
    "Kustomization": {
        "apiVersion", "kind", "namespace", "resources", "components", "labels",
        "configMapGenerator", "patches", "images",
    },
    "Component": {"apiVersion", "kind", "resources", "patches"},
}  # fmt: skip
_MERGED_BY: Final = {
    "containers": "name", "env": "name", "volumes": "name", "volumeMounts": "mountPath",
    "ports": "containerPort", "topologySpreadConstraints": "topologyKey",
}  # fmt: skip
"""Lists of pods that a patch merges, by what; every other list it replaces."""
_WORKLOADS: Final = ("Deployment", "StatefulSet", "Job")
_SELECTING: Final = ("Deployment", "StatefulSet")
_CLUSTERWIDE: Final = ("Namespace",)
_HASH_LETTERS: Final = str.maketrans("013ae", "ghkmt")


class NotKustomize(Exception):
    """Something that kustomize would refuse, or that this does not know."""


def build(folder: Path) -> list[Document]:
    """All documents of an overlay, or of a base."""
    found, maps = _built(folder)
    return list(_named(found, maps))


def _built(folder: Path) -> tuple[list[Document], list[Document]]:
    """Documents, and generated ConfigMaps, which get their last names in the end."""
    told = _told(folder, "Kustomization")
    found, maps = _resources(folder, told)
    _generate(folder, told, maps)
    _unique([*found, *maps])
    for name in told.get("components", ()):
        _add(folder / name, found)
    _change(folder, told, found)
    for each in told.get("labels", ()):
        _label([*found, *maps], each)
    for each in told.get("images", ()):
        _set_image(found, each)
    if (namespace := told.get("namespace")) is not None:
        for document in (*found, *maps):
            if document["kind"] not in _CLUSTERWIDE:
                document["metadata"]["namespace"] = namespace
    return found, maps


def _resources(folder: Path, told: Document) -> tuple[list[Document], list[Document]]:
    found: list[Document] = []
    maps: list[Document] = []
    for name in told.get("resources", ()):
        path = folder / name
        inner, generated = _built(path) if path.is_dir() else (documents(path), [])
        found += inner
        maps += generated
    return found, maps


def documents(path: Path) -> list[Document]:
    """The documents of a file."""
    if not path.is_file():
        raise NotKustomize(f"there is no {path}")
    return [each for each in yaml.safe_load_all(path.read_text()) if each is not None]


def _told(folder: Path, kind: str) -> Document:
    [told] = documents(folder / "kustomization.yaml")
    if told.get("kind") != kind or (unknown := set(told) - _KNOWN[kind]):
        raise NotKustomize(f"{folder.name}: {kind}, with {sorted(_KNOWN[kind])}: {unknown}")
    return told


def _add(folder: Path, found: list[Document]) -> None:
    """What a component adds and changes."""
    told = _told(folder, "Component")
    for name in told.get("resources", ()):
        found += documents(folder / name)
    _unique(found)
    _change(folder, told, found)


def _unique(found: list[Document]) -> None:
    names = [(each["apiVersion"], each["kind"], each["metadata"]["name"]) for each in found]
    if twice := {each for each in names if names.count(each) > 1}:
        raise NotKustomize(f"there twice: {sorted(twice)}")


def _generate(folder: Path, told: Document, maps: list[Document]) -> None:
    for each in told.get("configMapGenerator", ()):
        if unknown := set(each) - {"name", "behavior", "files"}:
            raise NotKustomize(f"configMapGenerator: {unknown}")
        data = {Path(name).name: _text(folder / name) for name in each["files"]}
        there = [one for one in maps if one["metadata"]["name"] == each["name"]]
        if (each.get("behavior") == "replace") != bool(there):
            raise NotKustomize(f"{each['name']}: is it there already, and to be replaced?")
        for one in there:
            one["data"] = data
        if not there:
            metadata = {"name": each["name"]}
            maps.append(
                {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
            )


def _text(path: Path) -> str:
    if not path.is_file():
        raise NotKustomize(f"there is no {path}")
    return path.read_text()


# ---------------------------------------------------------------- patches


def _change(folder: Path, told: Document, found: list[Document]) -> None:
    for each in told.get("patches", ()):
        if unknown := set(each) - {"path", "target", "patch"}:
            raise NotKustomize(f"patches: {unknown}")
        text = each["patch"] if "patch" in each else _text(folder / each["path"])
        patch = yaml.safe_load(text)
        target = each.get("target") or _own(patch)
        meant = [one for one in found if _is_meant(one, target)]
        if not meant:
            raise NotKustomize(f"{folder.name}: a patch for {target}, which is not there")
        for one in meant:
            if isinstance(patch, list):
                for step in patch:
                    _step(one, step)
            else:
                body = {name: value for name, value in patch.items() if name not in _HEAD}
                merged = _merged(one, body)
                one.clear()
                one.update(merged)


_HEAD: Final = ("apiVersion", "kind", "metadata")


def _own(patch: Document) -> Document:
    group, _, version = patch["apiVersion"].rpartition("/")
    return {
        "kind": patch["kind"], "name": patch["metadata"]["name"], "group": group,
        "version": version,
    }  # fmt: skip


def _is_meant(document: Document, target: Document) -> bool:
    group, _, version = document["apiVersion"].rpartition("/")
    own = {
        "kind": document["kind"], "name": document["metadata"]["name"], "group": group,
        "version": version,
    }  # fmt: skip
    if unknown := set(target) - set(own):
        raise NotKustomize(f"target: {unknown}")
    return all(re.fullmatch(wanted, own[name]) for name, wanted in target.items())


def _merged(there: Any, patch: Any, name: str = "") -> Any:
    """A strategic merge: the patch's values over those that are there."""
    if isinstance(there, dict) and isinstance(patch, dict):
        changed = dict(there)
        for key, value in patch.items():
            if key.startswith("$") or value is None:
                raise NotKustomize(f"{key}: {value}: a deletion is not known here")
            changed[key] = _merged(there[key], value, key) if key in there else copy.deepcopy(value)
        return changed
    by = _MERGED_BY.get(name)
    if isinstance(there, list) and isinstance(patch, list) and by is not None:
        left = {each[by]: each for each in patch}
        found = [_merged(each, left.pop(each[by], {})) for each in there]
        return [*(copy.deepcopy(each) for each in left.values()), *found]
    return copy.deepcopy(patch)


def _step(document: Document, step: Document) -> None:
    """A step of a JSON patch (RFC 6902)."""
    *path, last = step["path"].removeprefix("/").split("/")
    place: Any = document
    for part in path:
        place = place[int(part)] if isinstance(place, list) else place[part]
    at: Any = int(last) if isinstance(place, list) else last
    try:
        place[at]
    except (KeyError, IndexError):
        raise NotKustomize(f"{document['metadata']['name']} has no {step['path']}") from None
    match step["op"]:
        case "remove":
            del place[at]
        case "replace":
            place[at] = step["value"]
        case other:
            raise NotKustomize(f"a JSON patch's {other} is not known here")


# ---------------------------------------------------------------- labels, images, names


def _label(found: list[Document], told: Document) -> None:
    pairs = told["pairs"]
    if told.get("includeSelectors") is not True:
        raise NotKustomize("labels: only with includeSelectors")
    for document in found:
        for place, name in _labelled(document):
            place[name] = {**place.get(name, {}), **pairs}
        for place in (*_spreads(document), *_peers(document)):
            if "matchLabels" in place:  # here it only adds to what is there
                place["matchLabels"] |= pairs


def _labelled(document: Document) -> Iterator[tuple[Document, str]]:
    """Where labels are put, be there any or none."""
    yield document["metadata"], "labels"
    kind, spec = document["kind"], document.get("spec", {})
    if kind in _WORKLOADS:
        yield spec["template"]["metadata"], "labels"
    if kind in _SELECTING:
        yield spec["selector"], "matchLabels"
        yield from ((claim["metadata"], "labels") for claim in spec.get("volumeClaimTemplates", ()))
    if kind == "Service":
        yield spec, "selector"
    if kind == "PodDisruptionBudget":
        yield spec["selector"], "matchLabels"


def _spreads(document: Document) -> list[Document]:
    if document["kind"] not in _SELECTING:
        return []
    told = document["spec"]["template"]["spec"].get("topologySpreadConstraints", ())
    return [each["labelSelector"] for each in told]


def _peers(document: Document) -> list[Document]:
    """Whom a NetworkPolicy chooses: it takes strangers for ours, too, as kustomize does."""
    if document["kind"] != "NetworkPolicy":
        return []
    spec = document["spec"]
    rules = [
        peer["podSelector"]
        for side, way in (("ingress", "from"), ("egress", "to"))
        for rule in spec.get(side, ())
        for peer in rule.get(way, ())
        if "podSelector" in peer
    ]
    return [spec["podSelector"], *rules]


def pod_of(document: Document) -> Document | None:
    """The pod's spec of a workload; None of anything else."""
    if document["kind"] not in _WORKLOADS:
        return None
    found: Document = document["spec"]["template"]["spec"]
    return found


def _set_image(found: list[Document], told: Document) -> None:
    if unknown := set(told) - {"name", "newName", "newTag"}:
        raise NotKustomize(f"images: {unknown}")
    for document in found:
        for container in (pod_of(document) or {}).get("containers", ()):
            if container["image"] == told["name"]:
                container["image"] = f"{told.get('newName', told['name'])}:{told['newTag']}"


def _named(found: list[Document], maps: list[Document]) -> Iterator[Document]:
    """Everything, with the ConfigMaps under names that follow from what they hold."""
    names = {each["metadata"]["name"]: _hashed(each) for each in maps}
    for each in maps:
        each["metadata"]["name"] = names[each["metadata"]["name"]]
    for document in found:
        for volume in (pod_of(document) or {}).get("volumes", ()):
            if "configMap" in volume:
                volume["configMap"]["name"] = names[volume["configMap"]["name"]]
    yield from found
    yield from maps


def _hashed(config_map: Document) -> str:
    """Its name with kustomize's hash of it."""
    name = config_map["metadata"]["name"]
    told = {"data": config_map["data"], "kind": "ConfigMap", "name": ""}  # as it does it
    text = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    for letter in "<>&":  # as Go writes them
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    digest = hashlib.sha256(text.encode()).hexdigest()
    return f"{name}-{digest[:10].translate(_HASH_LETTERS)}"
