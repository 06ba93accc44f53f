"""What pulumi-kubernetes makes of an object's inputs: names, annotations that steer it, what a program would write.

Source: pulumi-kubernetes 4.34, provider/pkg/metadata and provider/pkg/provider/provider.go.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable

from sandbox.errors import Failure
from sandbox.kubernetes.api import RELEASE
from sandbox.kubernetes.fields import mapped
from sandbox.kubernetes.kinds import Kind
from sandbox.kubernetes.ownership import Manager
from sandbox.providers.autoname import random_hex
from sandbox.providers.shell import CheckRequest
from sandbox.values import UNKNOWN, Properties, Value, reveal

FIELD_MANAGER = "__fieldManager"
"""Where a resource's state keeps the name of its field manager."""

_AUTONAMED = "pulumi.com/autonamed"
_SHOWN_METADATA = ("annotations", "labels", "name", "namespace", "generateName", "finalizers", "ownerReferences")


def annotation(body: Properties, name: str) -> str:
    """The value of a ``pulumi.com/`` annotation, or nothing."""
    metadata = reveal(body.get("metadata"))
    value = mapped(metadata, "annotations").get(f"pulumi.com/{name}")
    return value if isinstance(value, str) else ""


def is_autonamed(inputs: Properties) -> bool:
    """Whether the provider named the object."""
    return annotation(inputs, "autonamed") == "true"


def named(request: CheckRequest, metadata: Properties, *, patch: bool) -> tuple[Properties, list[Failure]]:
    """Metadata with a name: as given, as before, or made from the resource's name."""
    before: Value = reveal(request.olds.get("metadata"))
    if metadata.get("name") not in (None, ""):
        return metadata, []
    if patch:
        return metadata, [Failure("metadata.name", "patch resources require the `.metadata.name` field to be set")]
    if metadata.get("generateName") is not None:
        text = "the `.metadata.generateName` field is not supported in Server-Side Apply mode"
        return metadata, [Failure("metadata.generateName", text)]
    if isinstance(before, dict) and is_autonamed(request.olds):
        metadata["name"] = before["name"]
    elif request.autoname_mode == "disable":
        text = "autonaming is disabled, resource requires the .metadata.name field to be set"
        return metadata, [Failure("metadata.name", text)]
    elif request.autoname_mode in {"propose", "enforce"}:
        metadata["name"] = request.proposed_name
    else:
        metadata["name"] = f"{request.urn.name}-{random_hex(request.random_seed, 8)}"
    annotations = metadata.get("annotations")
    if annotations is not UNKNOWN:
        metadata["annotations"] = {**(annotations or {}), _AUTONAMED: "true"}
    return metadata, []


def as_inputs(live: Properties, kind: Kind) -> Properties:
    """The part of a live object that a program would write."""
    shown = {name: value for name, value in live.items() if name != "status" and not name.startswith("__")}
    metadata = live.get("metadata")
    if kind != RELEASE and isinstance(metadata, dict):
        shown["metadata"] = {name: metadata[name] for name in _SHOWN_METADATA if name in metadata}
    return shown


def pruned(live: Value, inputs: Value) -> Value:
    """The part of a live value that the inputs speak of: what others added is no drift of the program's."""
    if isinstance(live, dict) and isinstance(inputs, dict):
        return {key: pruned(value, inputs[key]) for key, value in live.items() if key in inputs}
    if isinstance(live, list) and isinstance(inputs, list):
        return [pruned(value, wanted) for value, wanted in zip(live, inputs, strict=False)]
    return live


def without_ignored(
    inputs: Properties, live: Properties, managers: Iterable[Manager], own: str, paths: Iterable[str]
) -> Properties:
    """Inputs for an apply: an ignored field is another manager's business, or stays what it is.

    Source: handleSSAIgnoreFields in provider/pkg/await/await.go; paths into lists are not followed there either.
    """
    result: Properties = copy.deepcopy(inputs)
    for path in paths:
        field, steps = f".{path}", path.split(".")
        theirs, ours = False, False
        for manager in managers:
            holds = any(name == field or name.startswith((f"{field}.", f"{field}[")) for name in manager.fields)
            theirs, ours = theirs or (holds and manager.name != own), ours or (holds and manager.name == own)
        place: Value = result
        there: Value = live
        for step in steps[:-1]:
            place = place.get(step) if isinstance(place, dict) else None
            there = reveal(there).get(step) if isinstance(reveal(there), dict) else None
        if not isinstance(place, dict):
            continue
        if theirs and not ours:
            place.pop(steps[-1], None)
        elif isinstance(there, dict) and steps[-1] in there:
            place[steps[-1]] = there[steps[-1]]
    return result
