"""Kubelet and kernel settings of a pool as the SDK takes them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pulumi_azure_native import containerservice

from gpufleet.catalog.node_settings import NodeConfiguration

_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def kubelet_config(configuration: NodeConfiguration) -> containerservice.KubeletConfigArgs | None:
    """The pool's `kubeletConfig`; None leaves all to AKS."""
    if not configuration.kubelet:
        return None
    return containerservice.KubeletConfigArgs(**_arguments(configuration.kubelet))


def linux_os_config(configuration: NodeConfiguration) -> containerservice.LinuxOSConfigArgs | None:
    """The pool's `linuxOSConfig` with its sysctls; None leaves all to AKS."""
    if not configuration.sysctls and not configuration.linux_os:
        return None
    sysctls = containerservice.SysctlConfigArgs(**_arguments(configuration.sysctls)) if configuration.sysctls else None
    return containerservice.LinuxOSConfigArgs(sysctls=sysctls, **_arguments(configuration.linux_os))


def argument(name: str) -> str:
    """The SDK's parameter for an ARM name: `vmMaxMapCount` is `vm_max_map_count`."""
    return _WORD.sub("_", name).lower()


def _arguments(settings: Mapping[str, object]) -> dict[str, Any]:
    return {argument(name): value for name, value in settings.items()}
