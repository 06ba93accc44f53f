from __future__ import annotations

from tests.spec.environments import Case, cases, judge

_BLOB = ("training", 0, "storage", "blob")
_CONTAINERS = (*_BLOB, "containers")
_LAST_GOOD = {"name": "last-good", "immutableDays": 30}


def _one(**settings: object) -> list[object]:
    return [{"name": "checkpoints", **settings}]


@cases(
    Case(
        "a name that another volume has",
        {_CONTAINERS: [{"name": "scratch", "mount": "blobfuse"}]},
        "training[0].storage.blob.containers[0].name",
        '"scratch" is the name of another volume that every team has',
        {_CONTAINERS: ["scratch"]},
    ),
    Case(
        "a cache without blobfuse",
        {_CONTAINERS: _one(mount="nfs", cache="nvme")},
        "training[0].storage.blob.containers[0].cache",
        "only blobfuse has a cache, and mount is nfs",
        {_CONTAINERS: _one(mount="blobfuse", cache="nvme")},
    ),
    Case(
        "a cache on no disk",
        {_CONTAINERS: _one(mount="blobfuse", cache="nvme"), ("training", 0, "pools", 0, "scratch"): "none"},
        "training[0].storage.blob.containers[0].cache",
        "no pool of the fabric has scratch on local NVMe",
        {_CONTAINERS: _one(mount="blobfuse", cache="memory"), ("training", 0, "pools", 0, "scratch"): "none"},
    ),
    Case(
        "locked blobs by NFS",
        {_CONTAINERS: _one(mount="nfs", immutableDays=7)},
        "training[0].storage.blob.containers[0].immutableDays",
        "accounts with NFS have no immutable blobs",
        {_CONTAINERS: [*_one(mount="nfs"), _LAST_GOOD]},
    ),
    Case(
        "locked blobs by blobfuse",
        {_CONTAINERS: _one(mount="blobfuse", immutableDays=7)},
        "training[0].storage.blob.containers[0].immutableDays",
        "blobfuse writes a file in several steps, and in an immutable container the second one is refused",
        {_CONTAINERS: _one(immutableDays=7)},
    ),
    Case(
        "the last good checkpoint, deleted by age",
        {_CONTAINERS: _one(immutableDays=7, lifecycle={"deleteAfterDays": 30})},
        "training[0].storage.blob.containers[0].lifecycle.deleteAfterDays",
        "what holds the last good checkpoint must not be emptied by age",
        {_CONTAINERS: _one(immutableDays=7, lifecycle={"coolAfterDays": 30})},
    ),
    Case(
        "the newest checkpoint, deleted by age",
        {_CONTAINERS: _one(lifecycle={"deleteAfterDays": 30})},
        "training[0].storage.blob.containers[0].lifecycle.deleteAfterDays",
        'would delete the newest checkpoint of "checkpoints" too, once a run pauses that long',
        {_CONTAINERS: [*_one(lifecycle={"deleteAfterDays": 30}), _LAST_GOOD]},
    ),
    Case(
        "a rule without an action",
        {_CONTAINERS: _one(lifecycle={"prefix": "old/"})},
        "training[0].storage.blob.containers[0].lifecycle",
        "says nothing to do",
        {_CONTAINERS: _one(lifecycle={"prefix": "old/", "coolAfterDays": 1})},
    ),
    Case(
        "cool and premium",
        {_CONTAINERS: _one(lifecycle={"coolAfterDays": 7}), (*_BLOB, "tier"): "premium"},
        "training[0].storage.blob.containers[0].lifecycle.coolAfterDays",
        "premium accounts have no cool tier",
        {_CONTAINERS: _one(lifecycle={"coolAfterDays": 7}), (*_BLOB, "tier"): "standard"},
    ),
    Case(
        "cool after it is gone",
        {_CONTAINERS: [*_one(lifecycle={"coolAfterDays": 30, "deleteAfterDays": 30}), _LAST_GOOD]},
        "training[0].storage.blob.containers[0].lifecycle.coolAfterDays",
        "30 days are not before the deletion after 30",
        {_CONTAINERS: [*_one(lifecycle={"coolAfterDays": 29, "deleteAfterDays": 30}), _LAST_GOOD]},
    ),
)
def test_containers(case: Case) -> None:
    judge(case)
