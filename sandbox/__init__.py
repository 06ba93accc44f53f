"""An Azure and a Kubernetes without a cloud, for the real Pulumi engine.

The real engine talks to the two providers in :mod:`sandbox.providers` as it talks to the official ones. Behind them
stands a cloud that knows nothing of the engine: its store on disk (:mod:`sandbox.store`), the contract of every
resource type read from the installed SDKs (:mod:`sandbox.contract`), Azure Resource Manager with one module per Azure
namespace (:mod:`sandbox.azure`), and the Kubernetes API of the clusters made in it (:mod:`sandbox.kubernetes`). What it
does not emulate it refuses by name. docs/sandbox.md has the guide.
"""

from __future__ import annotations
