"""What is put to the API server: every Kubernetes object that the program, the goldens and `job render` come to."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pulumi.runtime import rpc

from sandbox.kubernetes.addons import ADDONS
from sandbox.kubernetes.api import RELEASE
from sandbox.kubernetes.charts import CHARTS, Definition
from sandbox.kubernetes.definitions import chart_schema
from sandbox.kubernetes.kinds import Kind
from sandbox.values import Value
from tests.components.graphs import ROOT, Graph
from tools.control_plane import definitions

Body = dict[str, Any]
_PREFIX = "kubernetes:"
_TEAM = "team-"
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """One object, and where it comes from."""

    origin: str
    body: Body

    @property
    def group_kind(self) -> str:
        """Its group and kind, `apps Deployment`."""
        return f"{str(self.body.get('apiVersion')).rpartition('/')[0]} {self.body.get('kind')}"

    @property
    def name(self) -> str:
        """Kind, namespace and name."""
        metadata = self.body.get("metadata") or {}
        return "/".join(filter(None, (str(self.body.get("kind")), metadata.get("namespace"), metadata.get("name"))))


@dataclass(frozen=True, kw_only=True)
class ClusterContent:
    """What the program puts into one cluster: objects in an order that they can be made in, and the charts."""

    name: str
    manifests: tuple[Manifest, ...]
    charts: tuple[str, ...]


def of_graph(stack: str, graph: Graph) -> tuple[ClusterContent, ...]:
    """What a stack puts into each of its clusters."""
    found: dict[str, tuple[list[Manifest], list[str]]] = {}
    for resource in graph.resources:
        if not resource.type.startswith(_PREFIX):
            continue
        cluster = resource.provider.rpartition("::")[0].rpartition("::")[2]
        manifests, charts = found.setdefault(cluster, ([], []))
        body = plain(resource.inputs)
        if Kind.from_token(resource.type) == RELEASE:
            charts.append(body["chart"].rpartition("/")[2])
        else:
            manifests.append(Manifest(origin=f"{stack} {cluster}", body=body))
    return tuple(
        ClusterContent(name=f"{stack} {name}", manifests=tuple(sorted(objects, key=_order)), charts=tuple(charts))
        for name, (objects, charts) in sorted(found.items())
    )


def of_file(file: Path) -> ClusterContent:
    """What a golden file puts into a cluster: objects, registrations of objects, and releases of charts."""
    name = str(file.relative_to(ROOT))
    manifests, charts = [], []
    for document in yaml.load_all(file.read_text(encoding="utf-8"), Loader=_Loader):
        if "chart" in document:
            charts.append(document["chart"].rpartition("/")[2])
        elif "kind" in document:
            manifests.append(Manifest(origin=name, body=document))
        else:
            # A registration: the type token instead of version and kind, and the program's own name for it.
            kind = Kind.from_token(f"{_PREFIX}{document['type']}")
            body = {key: value for key, value in document.items() if key not in {"name", "type"}}
            manifests.append(Manifest(origin=name, body={"apiVersion": kind.api_version, "kind": kind.kind, **body}))
    return ClusterContent(name=name, manifests=tuple(sorted(manifests, key=_order)), charts=tuple(charts))


def completed(content: ClusterContent, namespaces: Mapping[str, Manifest]) -> ClusterContent:
    """A golden file's content with the namespaces that another file makes; a team's, all of one form, if none does."""
    places = {str(manifest.body["metadata"].get("namespace")) for manifest in content.manifests}
    missing = sorted(places - namespaces_of([content]).keys())
    model = next(manifest for name, manifest in namespaces.items() if name.startswith(_TEAM))
    made = [
        namespaces.get(name)
        or replace(model, body={**model.body, "metadata": {**model.body["metadata"], "name": name}})
        for name in missing
        if name in namespaces or name.startswith(_TEAM)
    ]
    return replace(content, manifests=(*made, *content.manifests))


def namespaces_of(contents: Iterable[ClusterContent]) -> dict[str, Manifest]:
    """The namespaces that they make, by name."""
    found = (manifest for content in contents for manifest in content.manifests)
    return {item.body["metadata"]["name"]: item for item in found if item.body["kind"] == "Namespace"}


def pods_of(manifest: Manifest) -> Iterator[Manifest]:
    """Each pod template as a pod: Pod Security only warns of a template, and other admission doesn't look at it."""
    metadata = manifest.body.get("metadata") or {}
    for number, template in enumerate(_templates(manifest.body)):
        own = template.get("metadata") or {}
        place = {"name": f"{metadata.get('name', 'unnamed')[:50]}-{number}", **_place(metadata)}
        labels = {key: own[key] for key in ("labels", "annotations") if key in own}
        body = {"apiVersion": "v1", "kind": "Pod", "metadata": {**place, **labels}, "spec": template["spec"]}
        yield Manifest(origin=f"{manifest.origin}, template {number} of {manifest.name}", body=body)


@cache
def known_definitions() -> Mapping[str, Body]:
    """Every definition by group and kind: the operators' own, and the sandbox's for those that can't be had."""
    own = {f"{body['spec']['group']} {body['spec']['names']['kind']}": body for body in definitions.find()}
    return {**_reduced(), **own}


def is_reduced(manifest: Manifest) -> bool:
    """Whether an object's kind is checked against the sandbox's own, reduced definition."""
    definition = known_definitions().get(manifest.group_kind)
    return definition is not None and definition is _reduced().get(manifest.group_kind)


def plain(value: Value) -> Value:
    """A registered input without the marks of secrets, and whole numbers as such: the wire knows only doubles."""
    if isinstance(value, Mapping):
        if value.get(rpc._special_sig_key) == rpc._special_secret_sig:
            return plain(value["value"])
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


@cache
def _reduced() -> Mapping[str, Body]:
    brought = [
        item for chart in CHARTS.values() for item in itertools.chain(chart.definitions, *chart.optional.values())
    ]
    brought += itertools.chain.from_iterable(ADDONS.values())
    return {f"{item.group} {item.kind}": _definition(item) for item in brought}


def _definition(definition: Definition) -> Body:
    versions: list[Body] = []
    for version in definition.versions:
        schema = definition.schemas.get(version) or chart_schema(Kind(definition.group, version, definition.kind))
        open_schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        body = {"openAPIV3Schema": schema or open_schema}
        versions.append({"name": version, "served": True, "storage": not versions, "schema": body})
    resource = Kind(definition.group, definition.versions[0], definition.kind).resource
    plural = resource.partition(".")[0]
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": resource},
        "spec": {
            "group": definition.group,
            "scope": "Namespaced" if definition.namespaced else "Cluster",
            "names": {"kind": definition.kind, "plural": plural, "singular": definition.kind.lower()},
            "versions": versions,
        },
    }


# What others need comes first; the rest by kind, so that a run is the same every time.
FIRST = ("Namespace", "CustomResourceDefinition", "PriorityClass", "ServiceAccount")


def _order(manifest: Manifest) -> tuple[int, str, str]:
    kind = str(manifest.body.get("kind"))
    return (FIRST.index(kind) if kind in FIRST else len(FIRST), manifest.origin, manifest.name)


def _templates(value: Value) -> Iterator[Body]:
    if isinstance(value, dict):
        for key, item in value.items():
            spec = item.get("spec") if isinstance(item, dict) else None
            if key == "template" and isinstance(spec, dict) and isinstance(spec.get("containers"), list):
                yield item
            else:
                yield from _templates(item)
    elif isinstance(value, list):
        for item in value:
            yield from _templates(item)


def _place(metadata: Mapping[str, Any]) -> dict[str, str]:
    return {"namespace": metadata["namespace"]} if metadata.get("namespace") else {}
