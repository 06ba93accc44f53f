"""What a state holds, what of it a destroy may not touch, and what is left after one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from gpufleet.cli.progress.model import RunModel
from gpufleet.cli.run_options import Request
from gpufleet.engine import Resource, Step
from gpufleet.errors import ExitCode, GpufleetError


class ProtectedError(GpufleetError):
    """The environment has protected resources that nobody has named."""

    exit_code = ExitCode.RESOURCE


def in_state(state: Mapping[str, object]) -> list[Resource]:
    """Resources and components of a state, parents first.

    Args:
        state: as `pulumi stack export` gives it.
    """
    return list(_read(state))


def destroy_plan(resources: Sequence[Resource]) -> RunModel:
    """The plan of a whole environment's destroy: everything goes.

    The engine's own preview of a destroy ends at the first protected resource, and takes seconds to say what the state
    says by itself.
    """
    model = RunModel()
    for resource in resources:
        model.apply(Step(resource=resource, op="delete", failed=False, seconds=0.0), 0.0)
    model.finish()
    return model


def to_unprotect(resources: Sequence[Resource], names: Sequence[str], request: Request) -> list[str]:
    """URNs of the protected resources, when the person has named all of them.

    The engine itself finds out in the middle: it deletes what it can reach and stops at the protected ones.

    Args:
        resources: what the environment has.
        names: names, or patterns with `*`, that the person allows to go.
        request: for the message; with targets the engine decides.

    Raises:
        ProtectedError: some are not named, or a name fits none.
    """
    protected = [resource for resource in resources if resource.protected]
    useless = [name for name in names if not any(fnmatchcase(resource.name, name) for resource in protected)]
    if useless:
        raise ProtectedError(
            f"--unprotect {useless[0]}: no protected resource of {request.place} has that name",
            hint=f"Protected are: {', '.join(resource.name for resource in protected) or 'none'}.",
        )
    left = [resource for resource in protected if not any(fnmatchcase(resource.name, name) for name in names)]
    if left and not request.options.targets:
        flag = " --sandbox" if request.sandbox else ""
        count = "1 resource is" if len(left) == 1 else f"{len(left)} resources are"
        raise ProtectedError(
            f"{request.place}: {count} protected, so nothing was deleted\n{_by_kind(left)}",
            hint="To delete them on purpose, name each (repeat the option; * stands for anything):\n"
            f"  gpufleet destroy {request.environment}{flag} --unprotect {left[0].name}",
        )
    return [resource.urn for resource in protected if resource not in left]


def left_over(resources: Sequence[Resource]) -> list[str]:
    """Resources that are still there, providers left out."""
    return [
        f"{_kind(resource)} {resource.name}"
        for resource in resources
        if resource.custom and not resource.type.startswith("pulumi:providers:")
    ]


def _read(state: Mapping[str, object]) -> Iterator[Resource]:
    deployment = state.get("deployment")
    found = deployment.get("resources") if isinstance(deployment, Mapping) else None
    for resource in found if isinstance(found, list) else []:
        urn = str(resource["urn"])
        if resource["type"] == "pulumi:pulumi:Stack":
            continue
        yield Resource(
            urn=urn,
            type=str(resource["type"]),
            name=urn.rsplit("::", 1)[-1],
            parent=str(resource.get("parent", "")),
            custom=bool(resource.get("custom")),
            protected=bool(resource.get("protect")),
        )


def _by_kind(resources: Sequence[Resource]) -> str:
    kinds: dict[str, list[str]] = {}
    for resource in resources:
        kinds.setdefault(_kind(resource), []).append(resource.name)
    return "\n".join(f"  {kind}: {', '.join(names)}" for kind, names in sorted(kinds.items()))


def _kind(resource: Resource) -> str:
    return resource.type.rsplit(":", 1)[-1]
