"""Graphs from what the engine writes down: an exported state, or `pulumi preview --json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import cast

from gpufleet.errors import ConfigurationError
from gpufleet.graph.model import SECRET, Graph, Node, Value
from gpufleet.graph.wire import default_provider, properties, provider_urn

_STATE_VERSION = 3
# `pulumi preview --json` writes this text where the state has a secret (pkg/backend/display/json.go, MassageSecrets).
_MASK = "[secret]"
_GOING = frozenset({"delete", "delete-replaced", "discard", "discard-replaced", "remove-pending-replace"})


def read(document: str | bytes | Mapping[str, object]) -> Graph:
    """The graph of an exported state (`pulumi stack export`) or of a preview (`pulumi preview --json`).

    Of a preview: what would be there after the run.

    Args:
        document: the JSON, as text or read already.

    Raises:
        ConfigurationError: it is neither of the two, or damaged.
    """
    try:
        content = document if isinstance(document, Mapping) else json.loads(document)
    except (ValueError, RecursionError) as error:
        raise _damaged(f"it is not JSON: {error}") from None
    if not isinstance(content, Mapping):
        raise _damaged("it is not a JSON object")
    try:
        return Graph(_steps(content["steps"]) if "steps" in content else _deployment(content))
    except (KeyError, TypeError, AttributeError) as error:
        raise _damaged(f"{type(error).__name__}: {error}") from None
    except ValueError as error:
        raise _damaged(str(error)) from None


def _deployment(content: Mapping[str, object]) -> list[Node]:
    if "deployment" not in content:
        raise ValueError("it has neither `deployment` nor `steps`")
    if (version := content.get("version")) != _STATE_VERSION:
        raise ValueError(f"its version is {version}, not {_STATE_VERSION}")
    deployment = cast("Mapping[str, object]", content["deployment"] or {})
    resources = cast("list[Mapping[str, object]]", deployment.get("resources") or [])
    # A resource that waits for its deletion has a successor under the same URN.
    return [node(resource) for resource in resources if not resource.get("delete") and not _is_default(resource)]


def _steps(steps: object) -> list[Node]:
    states: dict[str, Mapping[str, object]] = {}
    for step in cast("list[Mapping[str, object]]", steps):
        if step["op"] not in _GOING:
            state = cast("Mapping[str, object]", step.get("newState") or step["oldState"])
            states[str(state["urn"])] = state
    return [node(state, masks=True) for state in states.values() if not _is_default(state)]


def _is_default(resource: Mapping[str, object]) -> bool:
    return default_provider(str(resource["urn"]))


def node(resource: Mapping[str, object], *, masks: bool = False) -> Node:
    """The node of one resource in the form that states have (`apitype.ResourceV3`).

    Args:
        resource: the JSON object.
        masks: whether the text `[secret]` stands for a secret, as in `pulumi preview --json`.

    Raises:
        KeyError, TypeError, AttributeError: it is not of that form.
    """
    urn = str(resource["urn"])
    inputs = properties(cast("Mapping[str, object]", resource.get("inputs") or {}))
    by_property = cast("Mapping[str, list[str] | None]", resource.get("propertyDependencies") or {})
    if by_property:
        # It lists what the program gave, with or without dependencies. The rest is the provider's: random names,
        # `azureApiVersion`.
        inputs = {key: value for key, value in inputs.items() if key in by_property}
    return Node(
        urn=urn,
        type=str(resource["type"]),
        name=urn.rsplit("::", 1)[-1],
        parent=str(resource.get("parent") or ""),
        custom=bool(resource["custom"]),
        properties={key: _unmasked(value) for key, value in inputs.items()} if masks else inputs,
        property_dependencies={key: tuple(sorted(urns)) for key, urns in sorted(by_property.items()) if urns},
        dependencies=tuple(sorted(cast("list[str]", resource.get("dependencies") or []))),
        provider=provider_urn(str(resource.get("provider") or "")),
        protect=bool(resource.get("protect")),
        retain_on_delete=bool(resource.get("retainOnDelete")),
        deleted_with=str(resource.get("deletedWith") or ""),
    )


def _unmasked(value: Value) -> Value:
    match value:
        case str():
            return SECRET if value == _MASK else value
        case list():
            return [_unmasked(item) for item in value]
        case dict():
            return {key: _unmasked(item) for key, item in value.items()}
    return value


def _damaged(reason: str) -> ConfigurationError:
    return ConfigurationError(
        f"this is not a Pulumi state or preview: {reason}",
        hint="Take what `pulumi stack export` or `pulumi preview --json` prints.",
    )
