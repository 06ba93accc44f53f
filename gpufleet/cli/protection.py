"""What in a state a destroy may not touch, and what is left after it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gpufleet.cli.run_options import Request
from gpufleet.errors import ExitCode, GpufleetError

_SHOWN = 20


class ProtectedError(GpufleetError):
    """The environment has protected resources."""

    exit_code = ExitCode.RESOURCE


def require_unprotected(state: Mapping[str, object], request: Request) -> None:
    """Make sure that a destroy can go through, before it deletes anything.

    The engine itself finds out in the middle: it deletes what it can reach and stops at the protected ones.

    Args:
        state: as `pulumi stack export` gives it.
        request: with targets, the engine decides; only a whole environment is judged here.

    Raises:
        ProtectedError: naming each, and how to unprotect it.
    """
    if request.options.targets:
        return
    urns = [str(resource["urn"]) for resource in _resources(state) if resource.get("protect")]
    if not urns:
        return
    named = [f"  {_label(urn)}\n    pulumi state unprotect --yes '{urn}'" for urn in urns[:_SHOWN]]
    if len(urns) > _SHOWN:
        named.append(f"  ... and {len(urns) - _SHOWN} more")
    count = "1 resource is" if len(urns) == 1 else f"{len(urns)} resources are"
    flag = " --sandbox" if request.sandbox else ""
    raise ProtectedError(
        f"{request.place}: {count} protected, so nothing was deleted\n" + "\n".join(named),
        hint="To delete them on purpose, unprotect each by name with the command under it, in a shell after\n"
        f'eval "$(gpufleet env {request.environment}{flag})"; then run destroy again. `pulumi state unprotect --all` '
        "takes them all.",
    )


def left_over(state: Mapping[str, object]) -> list[str]:
    """Resources that a state still has, the stack itself and providers left out."""
    urns = [str(resource["urn"]) for resource in _resources(state)]
    return [_label(urn) for urn in urns if "::pulumi:pulumi:Stack::" not in urn and "::pulumi:providers:" not in urn]


def _resources(state: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    deployment = state.get("deployment")
    found = deployment.get("resources") if isinstance(deployment, Mapping) else None
    for resource in found if isinstance(found, list) else []:
        if isinstance(resource, Mapping):
            yield resource


def _label(urn: str) -> str:
    kind = urn.split("::")[2].rsplit("$", 1)[-1].rsplit(":", 1)[-1]
    return f"{kind} {urn.rsplit('::', 1)[-1]}"
