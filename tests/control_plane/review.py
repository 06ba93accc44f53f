"""Every object and pod template to a real API server: what it refuses or warns of, and which exceptions that takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

from sandbox.kubernetes.kinds import INITIAL_NAMESPACES
from tests.control_plane.cluster import Answer, Cluster
from tests.control_plane.manifests import FIRST, ClusterContent, Manifest, is_reduced, namespaces_of, pods_of

FILE = Path(__file__).with_name("exceptions.yaml")


class Complaint(BaseModel):
    """A refusal or warning that is expected.

    Attributes:
        manifest: shell pattern of kind/namespace/name, as `Manifest.name` has it.
        text: shell pattern of what the server says.
        reason: why that is right all the same.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    manifest: str
    text: str
    reason: str


class Difference(BaseModel):
    """Where the sandbox and the API server differ over a mutation.

    Attributes:
        sandbox: what the sandbox does with it, `takes` or `refuses`; the API server does the other.
        mutation: shell pattern of `operation Kind field`.
        reason: why it stays so.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sandbox: str
    mutation: str
    reason: str


class Exceptions(BaseModel):
    """tests/control_plane/exceptions.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    charts: dict[str, str]
    definitions: dict[str, str]
    complaints: tuple[Complaint, ...]
    differences: tuple[Difference, ...]


def exceptions() -> Exceptions:
    """The exceptions as they stand in the file."""
    return Exceptions.model_validate(yaml.safe_load(FILE.read_text(encoding="utf-8")))


@dataclass
class Review:
    """What came out.

    Attributes:
        problems: what is wrong, one line each.
        seen: how many objects and pod templates the server was asked about.
        charts: names of the charts that were met.
        reduced: kinds that were checked against our own definition.
        used: the complaints that were needed.
    """

    expected: Exceptions
    problems: list[str] = field(default_factory=list)
    seen: int = 0
    charts: set[str] = field(default_factory=set)
    reduced: set[str] = field(default_factory=set)
    used: set[Complaint] = field(default_factory=set)

    def content(self, cluster: Cluster, content: ClusterContent) -> None:
        """Look at everything that goes into one cluster."""
        self.charts.update(content.charts)
        # Other contents' namespaces stand in the cluster too: what is missing here must not be found there.
        places = {*INITIAL_NAMESPACES, *namespaces_of([content])}
        for manifest in content.manifests:
            place = manifest.body["metadata"].get("namespace", "default")
            if place not in places:
                self.problems.append(f"{manifest.origin}: {manifest.name}: nothing makes the namespace {place}")
            self._manifest(cluster, manifest)

    def _manifest(self, cluster: Cluster, manifest: Manifest) -> None:
        if is_reduced(manifest):
            self.reduced.add(manifest.group_kind)
        taken = self._judge(manifest, cluster.apply(manifest.body))
        if taken and manifest.body["kind"] in FIRST:
            # What comes later is judged by it: Pod Security, service accounts and priorities of pods.
            cluster.make(manifest.body)
        for pod in pods_of(manifest):
            self._judge(pod, cluster.apply(pod.body))

    def unneeded(self) -> list[str]:
        """Exceptions that nothing met, differences apart."""
        expected = self.expected
        return [
            *sorted(expected.charts.keys() - self.charts),
            *sorted(expected.definitions.keys() - self.reduced),
            *(item.text for item in expected.complaints if item not in self.used),
        ]

    def unlisted(self) -> list[str]:
        """Charts and reduced definitions that no exception names."""
        return sorted((self.charts - self.expected.charts.keys()) | (self.reduced - self.expected.definitions.keys()))

    def _judge(self, manifest: Manifest, answer: Answer) -> bool:
        self.seen += 1
        for text in filter(None, (answer.refusal, *answer.warnings)):
            known = next((item for item in self.expected.complaints if _fits(item, manifest, text)), None)
            if known is None:
                self.problems.append(f"{manifest.origin}: {manifest.name}: {text}")
            else:
                self.used.add(known)
        return not answer.refusal


def _fits(complaint: Complaint, manifest: Manifest, text: str) -> bool:
    return fnmatchcase(manifest.name, complaint.manifest) and fnmatchcase(text, complaint.text)
