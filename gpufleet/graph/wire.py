"""Values as the engine, its states and the SDKs write them, made plain: secrets and unknowns are masked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from gpufleet.graph.model import SECRET, UNKNOWN, Value

# pulumi/pulumi: sdk/go/common/resource/sig/sig.go; the unknowns: sdk/go/common/resource/plugin/rpc.go
SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
SECRET_SIGNATURE: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 the mark of a secret, not one
UNKNOWN_TEXT: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
UNKNOWN_TEXTS: Final = frozenset(
    {
        UNKNOWN_TEXT,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)


def properties(inputs: Mapping[str, object]) -> dict[str, Value]:
    """A resource's inputs without the engine's bookkeeping (`__defaults`); a property that is null is left out."""
    return {key: plain(value) for key, value in inputs.items() if value is not None and not key.startswith("__")}


def plain(value: object) -> Value:
    """A value with its secrets as `SECRET` and what is not known yet as `UNKNOWN`. Whole numbers become integers.

    Raises:
        TypeError: it is nothing that JSON has.
    """
    match value:
        case str():
            return UNKNOWN if value in UNKNOWN_TEXTS else value
        case None | bool() | int():
            return value
        case float():
            return int(value) if value.is_integer() else value
        case Mapping():
            return _plain_mapping(value)
        case Sequence():
            return [plain(item) for item in value]
    raise TypeError(f"{type(value).__name__} is no property value")


def _plain_mapping(value: Mapping[str, object]) -> Value:
    signature = value.get(SIGNATURE)
    if signature == SECRET_SIGNATURE:
        return SECRET
    if signature is not None and "value" in value:  # an output value that carries its dependencies
        return plain(value["value"])
    return {key: plain(item) for key, item in value.items() if not key.startswith("__") and item is not None}


def default_provider(reference: str) -> bool:
    """Whether a resource's provider reference (`urn::id`), or a provider's URN, is that of a default provider."""
    return "::pulumi:providers:" in reference and "::default" in reference


def provider_urn(reference: str) -> str:
    """The URN of the provider that the program gave, of a reference `urn::id`; "" for a default one."""
    return "" if not reference or default_provider(reference) else reference.rsplit("::", 1)[0]
