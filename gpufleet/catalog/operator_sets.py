"""Operators of GPU clusters, pinned as sets that were tested together (data/operator_sets.yaml)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator
from pydantic.alias_generators import to_camel

from gpufleet.catalog.gpu_stack import GpuStack
from gpufleet.catalog.yaml_file import read_yaml

_FILE = Path(__file__).parent / "data" / "operator_sets.yaml"

_PciId = Annotated[str, Field(pattern=r"^[0-9a-f]{4}$")]


class _Row(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True)


class Chart(_Row):
    """A Helm chart at one version."""

    repository: str
    """Address of the Helm repository, or an `oci://` registry without the chart's name."""
    chart: str
    version: str


class Image(_Row):
    """A container image by its version tag."""

    repository: str
    image: str
    version: str

    def __str__(self) -> str:
        return f"{self.repository}/{self.image}:{self.version}"


class PciDevices(_Row):
    """PCI ids, four hexadecimal digits each."""

    vendor: _PciId
    devices: Annotated[list[_PciId], Field(min_length=1)]


class ManagedParts(_Row):
    """What AKS's own driver leaves to us."""

    device_plugin: Chart
    dcgm_exporter: Chart
    peermem_loader: Image
    """Runs the node's own `modprobe`; any image with a shell and chroot does."""


class AmdDriver(_Row):
    """AMD's kernel driver as a package of the node's distribution."""

    packages: str
    """Address of AMD's package repository."""
    version: str
    distribution: str
    """Code name of the Ubuntu release."""


class AmdParts(_Row):
    """What AMD's GPUs need in place of NVIDIA's operator."""

    gpu_operator: Chart
    cert_manager: Chart
    driver: AmdDriver
    driver_installer: Image
    device_plugin: Image
    node_labeller: Image
    metrics_exporter: Image


class OperatorSet(_Row):
    """Versions that were tested together."""

    name: str
    source: str
    as_of: dt.date
    gpu_stacks: Mapping[GpuStack, Annotated[str, Field(pattern=r"^1\.\d{2}$")]]
    """The stacks it has what it takes for, and the oldest Kubernetes minor of each."""
    architectures: Annotated[list[str], Field(min_length=1)]
    """`kubernetes.io/arch` of the GPU nodes that its OFED driver builds on."""
    gpu_operator: Chart
    gpu_driver: Image
    container_toolkit: Image
    device_plugin: Image
    dcgm_exporter: Image
    dra_driver: Chart | None = None
    network_operator: Chart
    ofed_driver: Image
    sriov_device_plugin: Image
    shared_device_plugin: Image
    infiniband_devices: PciDevices
    managed: ManagedParts | None = None
    amd: AmdParts | None = None

    def fits(self, gpu_stack: GpuStack, *, amd: bool, architectures: frozenset[str]) -> bool:
        """Whether it has what a cluster needs (see `newest`)."""
        return (
            gpu_stack in self.gpu_stacks
            and (self.amd is not None or not amd)
            and architectures <= {*self.architectures}
        )

    @model_validator(mode="after")
    def _has_what_its_stacks_need(self) -> OperatorSet:
        missing = [
            stack
            for stack, part in ((GpuStack.MANAGED, self.managed), (GpuStack.OPERATOR_DRA, self.dra_driver))
            if (stack in self.gpu_stacks) != (part is not None)
        ]
        if missing:
            raise ValueError(f"operator set {self.name}: {', '.join(missing)} and what it needs go together")
        return self


@lru_cache(maxsize=1)
def all_sets() -> tuple[OperatorSet, ...]:
    """Every set, newest first."""
    sets = TypeAdapter(list[OperatorSet]).validate_python(read_yaml(_FILE))
    return tuple(sorted(sets, key=lambda one: one.as_of, reverse=True))


def find(name: str) -> OperatorSet | None:
    """The set of this name."""
    return next((one for one in all_sets() if one.name == name), None)


def newest(gpu_stack: GpuStack, *, amd: bool, architectures: frozenset[str]) -> OperatorSet | None:
    """The newest set that has what it takes.

    Args:
        gpu_stack: the stack it must be for.
        amd: whether it must have AMD's operator.
        architectures: `kubernetes.io/arch` that its OFED driver must build on.
    """
    return next((one for one in all_sets() if one.fits(gpu_stack, amd=amd, architectures=architectures)), None)
