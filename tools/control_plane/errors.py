"""What can go wrong with the control plane."""

from __future__ import annotations


class ControlPlaneError(Exception):
    """The control plane or a definition can't be had; the text says why and what to do."""
