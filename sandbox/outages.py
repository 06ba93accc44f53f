"""Regions that are down, kept in the store (``outage/<region>``)."""

from __future__ import annotations

from gpufleet.catalog import regions
from sandbox.errors import SandboxError
from sandbox.store import Store, Transaction

OUTAGES = "outage/"


def add(store: Store, region: str) -> str:
    """Take a region down; returns its normalised name.

    Raises:
        SandboxError: Azure has no such region.
    """
    name = region.replace(" ", "").lower()
    if regions.find(name) is None:
        near = regions.nearest(name)
        hint = f"; did you mean '{near}'?" if near else ""
        raise SandboxError(f"'{region}' is no Azure region{hint}")
    with store.transaction() as transaction:
        transaction.put(OUTAGES + name, {"region": name})
    return name


def remove(store: Store, region: str) -> bool:
    """Bring a region back; whether it was down."""
    key = OUTAGES + region.replace(" ", "").lower()
    with store.transaction() as transaction:
        was_down = transaction.get(key) is not None
        transaction.delete(key)
    return was_down


def listed(store: Store) -> list[str]:
    """The regions that are down."""
    return [key.removeprefix(OUTAGES) for key, _ in store.items(OUTAGES)]


def is_down(cloud: Store | Transaction, region: str) -> bool:
    """Whether a region (normalised name) is down."""
    return bool(region) and cloud.get(OUTAGES + region) is not None
