"""The charts that stand beside the GPU stack (data/operators.yaml), typed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from gpufleet.catalog import operator_sets
from gpufleet.catalog.yaml_file import read_yaml
from gpufleet.spec.base import Spec

_FILE = Path(__file__).parent / "data" / "operators.yaml"


class Chart(operator_sets.Chart):
    """A Helm chart of its own, and who says that this version runs on AKS."""

    source: str
    as_of: dt.date


class _Charts(Spec):
    charts: Mapping[str, Chart]


@lru_cache(maxsize=1)
def charts() -> Mapping[str, Chart]:
    """Every chart of the file, by its name there."""
    return _Charts.model_validate(read_yaml(_FILE)).charts


def chart(name: str) -> Chart:
    """The chart of this name."""
    return charts()[name]
