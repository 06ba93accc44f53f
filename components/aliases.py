"""Drops the API-version aliases that every azure-native resource brings.

Each resource class of azure-native adds one type alias for each API version it ever had: 110 for an AgentPool. The
Python SDK turns each into outputs and a wire field, which is most of the run time of a large program. They matter only
to a state that recorded a versioned type token; `gpufleet:keepVersionAliases: true` keeps them for such a state.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import pulumi

_VERSION = re.compile(r"/v\d{8}[a-z]*(?=:)")


def trim_version_aliases() -> None:
    """Drop version aliases from every resource that this stack makes from now on."""
    pulumi.runtime.register_stack_transformation(_trim)


def differs_in_version_alone(alias_type: str, resource_type: str) -> bool:
    """Whether both tokens name the same module and type.

    `azure-native:cdn/v20240201:Route` and `azure-native:cdn:Route` do. An alias to another module
    (`azure-native:insights:ActionGroup` for `azure-native:monitor:ActionGroup`) does not.
    """
    return alias_type != resource_type and _VERSION.sub("", alias_type) == resource_type


def without_version_aliases(
    aliases: Sequence[pulumi.Input[str | pulumi.Alias]], resource_type: str
) -> list[pulumi.Input[str | pulumi.Alias]]:
    """`aliases` without those that the SDK generated for older API versions of `resource_type`.

    What somebody wrote stays: URNs, outputs, anything with a name, a parent, a stack or a project. A written version
    alias stays too when the SDK has the same one, for then it stands twice; kept once, it does all it was written for.
    """
    seen = Counter(token for alias in aliases if (token := _type_alone(alias)) is not None)
    kept: list[pulumi.Input[str | pulumi.Alias]] = []
    for alias in aliases:
        token = _type_alone(alias)
        if token is None or not differs_in_version_alone(token, resource_type):
            kept.append(alias)
        elif seen[token] > 1:
            kept.append(alias)
            seen[token] = 0
    return kept


def _trim(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
    if not args.opts.aliases or not args.type_.startswith("azure-native:"):
        return None
    # The provider SDK merged these options for this one resource, so nobody else sees the change.
    args.opts.aliases = without_version_aliases(args.opts.aliases, args.type_)
    return pulumi.ResourceTransformationResult(props=args.props, opts=args.opts)


def _type_alone(alias: pulumi.Input[str | pulumi.Alias]) -> str | None:
    """The type of an alias that says nothing but a type, else None."""
    if not isinstance(alias, pulumi.Alias) or not isinstance(alias.type_, str):
        return None
    others = (alias.name, alias.parent, alias.stack, alias.project)
    unsaid: object = ...  # the SDK's sentinel; its annotations deny it
    return alias.type_ if all(value is unsaid for value in others) else None
