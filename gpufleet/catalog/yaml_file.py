"""Data files of ours that are YAML."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

# libyaml, which PyYAML's wheels bring, takes a sixth of the time, and every check reads such a file.
_LOADER: type[yaml.SafeLoader | yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(path: Path) -> Any:  # noqa: ANN401 - plain YAML
    """The content of a file that ships: what stands in its place is the developer's mistake, so errors are PyYAML's."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506 - both are safe ones
