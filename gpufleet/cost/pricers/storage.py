"""Storage: Managed Lustre and blobs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gpufleet.cost.charge import Category, Charge, Meter, ServiceMeter
from gpufleet.cost.item import Placed
from gpufleet.cost.money import Bounds, decimal
from gpufleet.cost.pricers.context import Context, undeclared, unknown
from gpufleet.sizing.storage import checkpoint_tib
from gpufleet.spec.storage import BlobMount
from gpufleet.spec.training import TrainingFabric

_GB_PER_TIB = 1024
"""Azure's price list writes GB and counts 2^30 bytes (Azure Storage billing)."""


def lustre(context: Context, item: Placed) -> Iterator[Charge]:
    """The file system by the TiB, full or empty."""
    del context
    sku, capacity = item.text("sku", "name"), item.number("storageCapacityTiB")
    yield Charge(
        category=Category.STORAGE,
        meter=ServiceMeter("Managed Lustre", sku) if sku else "a Managed Lustre SKU that is not known yet",
        quantity=unknown("its capacity") if capacity is None else Bounds.fixed(capacity),
    )


def storage_account(context: Context, item: Placed) -> Iterator[Charge]:
    """What the account holds, by the GB and month; transactions are left out.

    All of it at the price of the tier that blobs are written to: how much lifecycle rules have moved to a cheaper one
    nothing tells, so this is the most it can be.
    """
    kind, sku, tier = item.text("kind"), item.text("sku", "name"), item.text("accessTier")
    meter: Meter | str = f"blobs of the kind {kind or '?'} {sku or '?'} {tier or ''}".rstrip()
    if kind and sku:
        meter = _CAPACITY.get((kind, sku, tier or ""), meter)
    kept, key, note = _kept_tib(context, item)
    quantity = undeclared(key) if kept is None else Bounds.fixed(decimal(kept) * _GB_PER_TIB)
    yield Charge(category=Category.STORAGE, meter=meter, quantity=quantity, note=note)


_CAPACITY: Mapping[tuple[str, str, str], Meter] = {
    ("StorageV2", "Standard_LRS", "Hot"): ServiceMeter("Blob Storage", "Hot LRS capacity"),
    ("StorageV2", "Standard_ZRS", "Hot"): ServiceMeter("Blob Storage", "Hot ZRS capacity"),
    ("BlockBlobStorage", "Premium_LRS", ""): ServiceMeter("Blob Storage", "Premium block blob LRS capacity"),
    ("BlockBlobStorage", "Premium_ZRS", ""): ServiceMeter("Blob Storage", "Premium block blob ZRS capacity"),
}


def _kept_tib(context: Context, item: Placed) -> tuple[float | None, str, str]:
    """TiB in an account, the key that declares it, and where the figure is from.

    Which account it is shows in its body: the one with keys is Lustre's, the one with NFS holds what is mounted so.
    """
    usage, fabric = context.environment.usage, _fabric(context, item)
    workload = fabric.workload if fabric else None
    hsm = fabric is not None and fabric.storage.lustre is not None and fabric.storage.lustre.hsm is not None
    if hsm and item.at("allowSharedKeyAccess") is True:
        declared, key, derived = usage.hsm_tib, "hsmTiB", (workload.dataset_tib if workload else None, "the dataset")
    elif item.at("enableNfsV3") is True and fabric is not None and not _only_nfs(fabric):
        declared, key, derived = usage.nfs_tib, "nfsTiB", (None, "")
    elif workload is None:
        declared, key, derived = usage.blob_tib, "blobTiB", (None, "")
    else:
        checkpoints = 2 * checkpoint_tib(workload)
        held = (checkpoints, "two checkpoints")
        derived = held if hsm else (workload.dataset_tib + checkpoints, "the dataset and two checkpoints")
        declared, key = usage.blob_tib, "blobTiB"
    return (declared, key, "as declared") if declared is not None else (derived[0], key, derived[1])


def _only_nfs(fabric: TrainingFabric) -> bool:
    return all(container.mount is BlobMount.NFS for container in fabric.storage.blob.all_containers())


def _fabric(context: Context, item: Placed) -> TrainingFabric | None:
    name = item.scope.name if item.scope else None
    return next((fabric for fabric in context.environment.training if fabric.name == name), None)
