"""Sizing: from a workload to the storage that carries it."""

from __future__ import annotations
