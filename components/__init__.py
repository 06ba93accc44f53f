"""Pulumi components: one concept a file. The only folder, with the sandbox, that imports the provider SDKs."""

from __future__ import annotations

from components import lazy_sdk

lazy_sdk.install()
