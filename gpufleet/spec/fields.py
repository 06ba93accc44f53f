"""What the models have at a path of the file: keys, enumeration members, and what a value must look like."""

from __future__ import annotations

import types
import typing
from enum import StrEnum

from gpufleet.spec.base import Path, Spec
from gpufleet.spec.environment import Environment

MEANINGS: dict[str, str] = {
    "^[a-z0-9][a-z0-9-]{0,31}$": "the name of an operator set such as 2026-07",
    r"^[a-z][a-z0-9]+$": "an Azure region by its programmatic name, such as eastus",
    r"^Standard_[A-Za-z0-9_]+$": "an Azure VM size by its ARM name, such as Standard_ND96isr_H100_v5",
    r"^[a-z][a-z0-9]{0,14}$": "a name of 1 to 15 lower-case letters and digits that starts with a letter",
    r"^[a-z][a-z0-9]{0,7}$": "a name of 1 to 8 lower-case letters and digits that starts with a letter "
    "(AKS allows 12; four are kept for the InfiniBand domain and the generation)",
    r"^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$": "a name of 1 to 30 lower-case letters, digits and inner hyphens that starts "
    "with a letter",
    r"^[1-3]$": "an availability zone: 1, 2 or 3",
    r"^(\d{1,3}%|\d{1,3})$": "a number of nodes or a percentage, such as 1 or 10%",
    r"^[A-Za-z0-9./_-]+(=[A-Za-z0-9._-]*)?:(NoSchedule|PreferNoSchedule|NoExecute)$": "a Kubernetes taint "
    "key=value:effect with the effect NoSchedule, PreferNoSchedule or NoExecute",
    r"^[^@\s]+@[^@\s]+\.[^@\s]+$": "a mail address",
    r"^1\.\d{2}$": 'a Kubernetes minor version in quotes, such as "1.34"',
    r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$": "an Entra object id (a GUID)",
    r"^(?:[01]\d|2[0-3]):[0-5]\d$": 'a local time of day in quotes, such as "19:00"',
    r"^([01]\d|2[0-3]):[0-5]\d$": 'a time of day in UTC in quotes, such as "02:00"',
    r"^[a-z0-9]+(-[a-z0-9]+)*$": "lower-case letters, digits and single hyphens between them",
    r"^[A-Za-z0-9][A-Za-z0-9._@ -]{0,127}$": "1 to 128 letters, digits, spaces and . _ @ -, no sign first",
    r"^[A-Za-z0-9][A-Za-z0-9._ -]{0,127}$": "1 to 128 letters, digits, spaces and . _ -, no sign first",
    r"^[a-z0-9]([a-z0-9-]{0,51}[a-z0-9])?$": "1 to 53 lower-case letters, digits and inner hyphens",
    r"^[a-z0-9]([a-z0-9-]{0,14}[a-z0-9])?$": "1 to 16 lower-case letters, digits and inner hyphens",
    r"^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$": "1 to 32 lower-case letters, digits and inner hyphens",
    r"^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$": "1 to 63 lower-case letters, digits and inner hyphens and dots",
    r"^[a-z0-9][a-z0-9._:/-]*@sha256:[0-9a-f]{64}$": "a container image by digest, such as vllm/vllm-openai@sha256:…",
    r"^[a-z0-9]+([._/-][a-z0-9]+)*@sha256:[0-9a-f]{64}$": "an artifact of the environment's registry by digest, "
    "such as models/chat-70b-fp8@sha256:…",
    r"^[+-](?:0\d|1[0-4]):[0-5]\d$": 'an offset from UTC in quotes, such as "+01:00"',
    r"^[0-9]{1,4}m$": "a number of minutes such as 15m",
    r"^[0-9]{1,5}s$": "a number of seconds such as 10s",
    r"^[0-9]{1,5}[smh]$": "a duration such as 30s or 5m",
    r"^-----BEGIN CERTIFICATE-----\n": "a certificate as PEM text (a YAML block after `|`)",
    r"^x509\.subject: ?\S": "a signer's subject, such as `x509.subject: C=US, ST=WA, O=example.com`",
    r"^/": "a path that starts with /",
    r"^https://\S+$": "an address that starts with https://",
    r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$": "1 to 63 lower-case letters, digits and inner hyphens",
    r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])$": "a host name in lower case with its "
    "domain, such as chat.example.com",
    r"^[A-Z]{2}$": "a country by its ISO 3166-1 alpha-2 code, such as US",
    r"^[^\x00-\x1f\x7f-\x9f]+$": "text on one line without control characters",
}
"""What each pattern of the models asks for, in words."""


def known_keys(path: Path, root: object = Environment) -> list[str]:
    """The keys that the value at `path` may have; empty where any may stand. `root` is the annotation of the file."""
    model = _model(path, root)
    return [str(field.alias) for field in model.model_fields.values()] if model else []


def enum_members(path: Path, root: object = Environment) -> list[str]:
    """The values that may stand at `path`, where they are an enumeration."""
    for option in _options(_annotation(path, root)):
        if isinstance(option, type) and issubclass(option, StrEnum):
            return [member.value for member in option]
    return []


def meaning(path: Path, root: object = Environment) -> str:
    """What must stand at `path`, in words; empty where the key says it all."""
    if members := enum_members(path, root):
        return f"one of {', '.join(members)}"
    annotation = repr(_annotation(path, root))
    return next((words for pattern, words in MEANINGS.items() if f"pattern={pattern!r}" in annotation), "")


def _model(path: Path, root: object) -> type[Spec] | None:
    for option in _options(_annotation(path, root)):
        if isinstance(option, type) and issubclass(option, Spec):
            return option
    return None


def _annotation(path: Path, root: object) -> object:
    """The annotation of the value at `path`; None where the models have none."""
    if not path:
        return root
    if isinstance(path[-1], int):
        lists = [option for option in _options(_annotation(path[:-1], root)) if typing.get_origin(option) is list]
        return typing.get_args(lists[0])[0] if lists else None
    model = _model(path[:-1], root)
    for field in model.model_fields.values() if model else ():
        if field.alias == path[-1]:
            # Metadata first: `Annotated` with nothing in it is an error.
            return typing.Annotated[field.annotation, *field.metadata, ""]
    return None


def _options(annotation: object) -> list[object]:
    """The members of a union, without the metadata around them."""
    if typing.get_origin(annotation) is typing.Annotated:
        return _options(typing.get_args(annotation)[0])
    if typing.get_origin(annotation) in {typing.Union, types.UnionType}:
        return [member for option in typing.get_args(annotation) for member in _options(option)]
    return [annotation]
