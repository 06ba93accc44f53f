"""Where the project's own files are."""

from __future__ import annotations

from pathlib import Path

from gpufleet.catalog.nearest import nearest_name
from gpufleet.engine.errors import StackMissingError

PROJECT = "gpufleet"
"""Name of the Pulumi project, as in `Pulumi.yaml`."""

ROOT = Path(__file__).resolve().parents[2]
"""The checkout: gpufleet is always installed editable, for the program is the repository itself."""


def stack_files(root: Path) -> dict[str, Path]:
    """Environments of a checkout: name to `stacks/Pulumi.<name>.yaml`, sorted by name."""
    found = (root / "stacks").glob("Pulumi.*.yaml")
    return {path.name.removeprefix("Pulumi.").removesuffix(".yaml"): path for path in sorted(found)}


def stack_file(root: Path, environment: str) -> Path:
    """The stack file of an environment.

    Raises:
        StackMissingError: there is none; the message names the nearest and all that there are.
    """
    known = stack_files(root)
    if environment in known:
        return known[environment]
    nearest = nearest_name(environment, known)
    meant = f" Did you mean {nearest}?" if nearest else ""
    raise StackMissingError(
        f"no environment {environment}: there is no stacks/Pulumi.{environment}.yaml.{meant}",
        hint=f"Environments: {', '.join(known) or 'none'}.",
    )
