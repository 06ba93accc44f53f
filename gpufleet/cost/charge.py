"""What a resource is charged for, before anyone asks what it costs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from gpufleet.cost.money import Bounds
from gpufleet.cost.rates import NoRate
from gpufleet.spec.base import Priority


class Category(StrEnum):
    """The part of the bill."""

    COMPUTE = "compute"
    CONTROL_PLANE = "control plane"
    STORAGE = "storage"
    NETWORK = "network"
    FRONT_DOOR = "front door"
    TRAFFIC_MANAGER = "traffic manager"
    API_MANAGEMENT = "api management"
    REGISTRY = "registry"
    LOGS = "logs"


@dataclass(frozen=True)
class VmMeter:
    """One node of a VM size at a priority, by the hour."""

    size: str
    priority: Priority

    def __str__(self) -> str:
        return f"{self.size} {self.priority.value}"


@dataclass(frozen=True)
class ServiceMeter:
    """A meter of another service, by its names in the price list."""

    service: str
    meter: str

    def __str__(self) -> str:
        return f"{self.service}: {self.meter}"


Meter: TypeAlias = VmMeter | ServiceMeter


@dataclass(frozen=True, kw_only=True)
class Charge:
    """One quantity of one meter.

    Attributes:
        meter: what is charged; a text where that is not known, such as the size of a pool that the program gets from
            elsewhere.
        quantity: in the meter's own unit: nodes, resources, GB, operations; for what flows, in a month. A `NoRate`
            says why nobody knows it.
        note: what a reader should know about the quantity.
    """

    category: Category
    meter: Meter | str
    quantity: Bounds | NoRate
    note: str = ""
