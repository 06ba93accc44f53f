"""gpufleet: GPU fleets on Azure, from one typed file per environment."""

from __future__ import annotations

__version__ = "0.1.0"
