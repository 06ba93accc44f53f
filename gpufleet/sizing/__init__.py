"""Sizing: from a workload to the nodes, storage, replicas and places that carry it.

Pure functions of numbers first (`failures`, `checkpoint`, `training`, `file_system`, `memory`, `replicas`,
`placement`), then what reads the environment and the catalogue (`storage`, `fabric`, `serving`, `proposal`). Every
figure that a person may doubt is an `explanation.Figure`: value, unit, formula, inputs and source.
"""

from __future__ import annotations
