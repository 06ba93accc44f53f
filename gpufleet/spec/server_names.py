"""Names of model servers in a cluster."""

from __future__ import annotations

from typing import Final

from gpufleet.spec.model import Form, Model

MOST_SERVER_NAME: Final = 47
"""Characters that a server's name may have, so that what Kubernetes derives from it still fits.

A LeaderWorkerSet makes a StatefulSet `<name>-<group>` for each group of nodes, and a StatefulSet's pods carry a label
of at most 63 characters with its name, a hyphen and a hash of ten (kubernetes/kubernetes#64023): 52 for the
StatefulSet, five of them for a hyphen and a group below 10,000.
"""


def server_name(model: Model, form: Form, size: str) -> str:
    """Model, form and size, as in `chat-fp8-nc80adis-h100-v5`: servers of a new size stand beside those of the old.

    Args:
        model: the model.
        form: one of its forms.
        size: VM size by its ARM name.
    """
    return f"{model.name}-{form.label}-{size.removeprefix('Standard_').replace('_', '-').lower()}"
