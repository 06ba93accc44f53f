"""Azure Resource Manager without Azure: one module per namespace, a resource type is one entry in it."""

from __future__ import annotations
