"""A Pulumi language host for Python, for an engine that came without the official one.

The engine finds it as `pulumi-language-python` beside its own executable and talks to it over gRPC
(pulumi/pulumi: proto/pulumi/language.proto). It serves one checkout and its virtual environment: programs run in this
process, policy packs in one of their own.
"""

from __future__ import annotations
