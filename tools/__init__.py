"""What sets the project up and what stands beside the engine; nothing here is imported by gpufleet."""

from __future__ import annotations
