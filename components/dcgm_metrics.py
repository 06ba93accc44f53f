"""What the DCGM exporter reports (data/dcgm_metrics.csv).

Its own list leaves out what throttles a GPU and so slows a whole gang (NVIDIA/dcgm-exporter etc/default-counters.csv at
4.5.3-4.8.2 has the two violation counters commented out). Fields to alert on: NVIDIA/aicr
recipes/components/gpu-operator/manifests/dcgm-exporter.yaml.
"""

from __future__ import annotations

import csv
from functools import lru_cache
from pathlib import Path

_FILE = Path(__file__).parent / "data" / "dcgm_metrics.csv"


def dcgm_metrics() -> str:
    """The exporter's own form: one `field, type, help` a line."""
    return "".join(f"{row['field']}, {row['type']}, {row['help']}\n" for row in _rows())


def dcgm_names() -> tuple[str, ...]:
    """Names of the metrics that it exports; what it calls labels are no metrics of their own."""
    return tuple(row["field"] for row in _rows() if row["type"] != "label")


@lru_cache(maxsize=1)
def _rows() -> tuple[dict[str, str], ...]:
    with _FILE.open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))
