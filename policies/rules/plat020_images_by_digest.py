"""PLAT020: container images of workloads."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

from gpufleet.catalog.table import read
from gpufleet.graph import Node
from gpufleet.graph.model import Hidden, Value
from policies.in_cluster import cluster_of, kind, objects
from policies.reading import UndecidedError, may
from policies.rule import Enforcement, Objection, Pack, Rule, Scope, Settings, Severity
from policies.view import Resource, View

_DIGEST: Final = re.compile(r"@sha256:[0-9a-f]{64}$")
_CONTAINERS: Final = ("containers", "initContainers")
_DECIDING: Final = (*_CONTAINERS, "image", "spec", "template", "jobTemplate")
_SCHEMAS: Final = "apiextensions.k8s.io/CustomResourceDefinition"
_STREAMING: Final = ("artifactStreamingProfile", "enabled")


@lru_cache(maxsize=1)
def tagged_images() -> tuple[str, ...]:
    """What gpufleet itself runs by tag, as patterns (data/tagged_images.csv, each with its reason)."""
    return tuple(row.text("image") for row in read("tagged_images.csv", ("image", "as_of", "why"), package="policies"))


class ImageSettings(Settings):
    """What PLAT020 lets pass."""

    by_tag: list[str] = [*tagged_images()]
    """Images that may run by tag, as shell patterns; unless given, what gpufleet itself runs and has no digest of."""


class ImagesByDigest(Rule[Resource, ImageSettings]):
    """Workloads name their images by digest; with artifact streaming, by a tag that says which.

    A tag is what somebody pushed last: a restarted replica can be another program than its neighbour, and a registry's
    replicas lag behind each other. Artifact streaming works for tags alone, so in a cluster with a pool that streams a
    tag is enough, except none and `latest`; lock it in the registry. Advisory, for base images of others are often
    tagged only.
    """

    id = "PLAT020"
    pack = Pack.PLATFORM
    severity = Severity.LOW
    enforcement = Enforcement.ADVISORY
    scope = Scope.STACK
    fix = "Name the image as repository@sha256:…, as the registry shows it"
    settings = ImageSettings
    source = "container-registry-geo-replication, AKS artifact-streaming-overview, Kubernetes images"

    def subjects(self, view: View) -> Iterable[Resource]:
        """Kubernetes objects with pod specifications at any depth, operators' own kinds too."""
        every = (one for one in objects(view) if one.node.custom and kind(one.node.type) != _SCHEMAS)
        return may(every, lambda one: any(True for _ in _images(one)))

    def judge(self, subject: Resource, view: View, settings: ImageSettings) -> Iterator[Objection]:
        """Each of its images, once."""
        loose = [image for image in dict.fromkeys(_images(subject)) if not _DIGEST.search(image)]
        if not loose:
            return
        streams = _streams(view, cluster_of(view, subject))
        for image in loose:
            tag = image.rpartition("/")[2].partition(":")[2]
            if streams and tag not in ("", "latest"):
                continue
            if any(fnmatch.fnmatchcase(image, one) for one in settings.by_tag):
                continue
            yield Objection(message=f"{subject.node.name} runs {image or 'a container without an image'} by no digest")


def _images(workload: Resource) -> Iterator[str]:
    """Raises UndecidedError after the images that are known."""
    yield from _walk(workload.properties.values.get("spec"), workload.node.name)


def _walk(value: Value, name: str) -> Iterator[str]:
    if isinstance(value, Hidden):
        raise UndecidedError(f"the images of {name} are not all known")
    if isinstance(value, list):
        for item in value:
            if isinstance(item, dict | list):
                yield from _walk(item, name)
        return
    for key, item in value.items() if isinstance(value, dict) else ():
        if key in _CONTAINERS and isinstance(item, list):
            for container in item:
                image = container.get("image") if isinstance(container, dict) else container
                if isinstance(image, Hidden):
                    raise UndecidedError(f"the images of {name} are not all known")
                yield image if isinstance(image, str) else ""
        elif isinstance(item, dict | list) or (isinstance(item, Hidden) and key in _DECIDING):
            yield from _walk(item, name)


def _streams(view: View, cluster: Node) -> bool:
    pools = view.pools_of(view.resource(cluster))
    return any(pool.properties.flag(*_STREAMING) for pool in pools)
