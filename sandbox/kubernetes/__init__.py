"""The Kubernetes API of the clusters in the sandbox's Azure: objects, custom resources and Helm releases."""

from __future__ import annotations
