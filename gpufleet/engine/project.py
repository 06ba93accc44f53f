"""Where the project's own files are."""

from __future__ import annotations

from pathlib import Path

PROJECT = "gpufleet"
"""Name of the Pulumi project, as in `Pulumi.yaml`."""

ROOT = Path(__file__).resolve().parents[2]
"""The checkout: gpufleet is always installed editable, for the programme is the repository itself."""


def stack_files(root: Path) -> dict[str, Path]:
    """Environments of a checkout: name to `stacks/Pulumi.<name>.yaml`, sorted by name."""
    found = (root / "stacks").glob("Pulumi.*.yaml")
    return {path.name.removeprefix("Pulumi.").removesuffix(".yaml"): path for path in sorted(found)}
