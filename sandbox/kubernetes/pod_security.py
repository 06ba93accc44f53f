"""Pod Security admission: what a namespace's labels forbid its pods.

Source: Kubernetes documentation, "Pod Security Standards" (1.34), and k8s.io/pod-security-admission policy/check_*.go.
The checks of Windows host process, AppArmor, SELinux, /proc mounts and sysctls are left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from sandbox.kubernetes.fields import each, listed, mapped
from sandbox.values import UNKNOWN, Properties, Value, has_unknown, reveal

PREFIX = "pod-security.kubernetes.io/"
LEVELS = ("privileged", "baseline", "restricted")
_VERSION = re.compile(r"latest|v1\.(0|[1-9]\d*)")


def wrong_label(key: str, value: str) -> str | None:
    """What is wrong with a namespace's label, or None when it is right or none of ours."""
    mode = key.removeprefix(PREFIX) if key.startswith(PREFIX) else ""
    if mode in {"enforce", "audit", "warn"} and value not in LEVELS:
        return f"must be one of {', '.join(LEVELS)}"
    if mode in {"enforce-version", "audit-version", "warn-version"} and not _VERSION.fullmatch(value):
        return 'must be "latest" or "v1.x"'
    return None


def violations(labels: Mapping[str, Value], mode: str, spec: Properties) -> str | None:
    """What of a pod spec the namespace's level for a mode (``enforce``, ``warn``) forbids, or None.

    Unknown fields pass: they are checked when they are known.
    """
    if mode == "warn" and PREFIX + mode not in labels:
        mode = "enforce"  # what nobody set for warnings is what is enforced (api/helpers.go: PolicyToEvaluate)
    level = labels.get(PREFIX + mode, "privileged")
    found = [
        f"{check.name} ({detail})"
        for check in _CHECKS
        if level in check.levels
        for detail in [check.find(reveal(spec))]
        if detail
    ]
    if not found:
        return None
    version = labels.get(f"{PREFIX}{mode}-version", "latest")
    return f'PodSecurity "{level}:{version}": {", ".join(found)}'


@dataclass(frozen=True, kw_only=True, slots=True)
class _Check:
    name: str
    levels: tuple[str, ...]
    find: Callable[[Properties], str]


_BASELINE = ("baseline", "restricted")
_RESTRICTED = ("restricted",)
# policy/check_capabilities_baseline.go
_CAPABILITIES = frozenset(
    {
        "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP",
        "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
    }
)  # fmt: skip
# policy/check_restrictedVolumes.go
_VOLUMES = frozenset(
    {
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "image",
        "persistentVolumeClaim",
        "projected",
        "secret",
    }
)


def _containers(spec: Properties) -> Iterator[tuple[str, Properties]]:
    for group in ("initContainers", "containers"):
        for _, container in each(spec, f"{group}[]"):
            if isinstance(container, Mapping) and not has_unknown(container.get("securityContext")):
                yield str(container.get("name")), mapped(container, "securityContext")


def _list(names: list[str], one: str, many: str) -> str:
    quoted = ", ".join(f'"{name}"' for name in names)
    return f"{one if len(names) == 1 else many} {quoted}"


def _named(spec: Properties, wrong: Callable[[Properties], bool], text: str) -> str:
    names = [name for name, context in _containers(spec) if wrong(context)]
    return f"{_list(names, 'container', 'containers')} {text}" if names else ""


def _host_namespaces(spec: Properties) -> str:
    return ", ".join(f"{field}=true" for field in ("hostNetwork", "hostPID", "hostIPC") if spec.get(field) is True)


def _host_ports(spec: Properties) -> str:
    found = [
        str(port)
        for group in ("initContainers", "containers")
        for _, port in each(spec, f"{group}[].ports[].hostPort")
        if port
    ]
    return f"hostPort{'s' if len(found) > 1 else ''} {', '.join(found)}" if found else ""


def _host_paths(spec: Properties) -> str:
    names = [
        str(volume.get("name"))
        for volume in listed(spec, "volumes")
        if isinstance(volume, Mapping) and volume.get("hostPath")
    ]
    return _list(names, "volume", "volumes") if names else ""


def _volume_types(spec: Properties) -> str:
    names = [
        str(volume.get("name"))
        for volume in listed(spec, "volumes")
        if isinstance(volume, Mapping) and not volume.keys() & _VOLUMES
    ]
    return f"{_list(names, 'volume', 'volumes')} uses restricted volume type" if names else ""


def _extra_capabilities(spec: Properties) -> str:
    def wrong(context: Properties) -> bool:
        return bool(set(listed(mapped(context, "capabilities"), "add")) - _CAPABILITIES)

    return _named(spec, wrong, "must not include non-default capabilities in securityContext.capabilities.add")


def _dropped_capabilities(spec: Properties) -> str:
    def wrong(context: Properties) -> bool:
        capabilities = mapped(context, "capabilities")
        return "ALL" not in listed(capabilities, "drop") or bool(
            set(listed(capabilities, "add")) - {"NET_BIND_SERVICE"}
        )

    return _named(spec, wrong, 'must set securityContext.capabilities.drop=["ALL"]')


def _non_root(spec: Properties) -> str:
    pod = mapped(spec, "securityContext").get("runAsNonRoot")
    if pod is UNKNOWN:
        return ""

    def wrong(context: Properties) -> bool:
        own = context.get("runAsNonRoot")
        return own is False or (own is None and pod is not True)

    found = _named(spec, wrong, "must set securityContext.runAsNonRoot=true")
    return f"pod or {found}" if found else ""


def _root_user(spec: Properties) -> str:
    if mapped(spec, "securityContext").get("runAsUser") == 0:
        return "pod must not set runAsUser=0"
    return _named(spec, lambda context: context.get("runAsUser") == 0, "must not set runAsUser=0")


def _seccomp(spec: Properties) -> str:
    pod = mapped(mapped(spec, "securityContext"), "seccompProfile").get("type")
    if pod is UNKNOWN:
        return ""

    def wrong(context: Properties) -> bool:
        return (mapped(context, "seccompProfile").get("type") or pod) not in {"RuntimeDefault", "Localhost"}

    found = _named(spec, wrong, 'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"')
    return f"pod or {found}" if found else ""


def _unconfined(spec: Properties) -> str:
    if mapped(mapped(spec, "securityContext"), "seccompProfile").get("type") == "Unconfined":
        return 'pod must not set securityContext.seccompProfile.type to "Unconfined"'
    return _named(
        spec,
        lambda context: mapped(context, "seccompProfile").get("type") == "Unconfined",
        'must not set securityContext.seccompProfile.type to "Unconfined"',
    )


_CHECKS = (
    _Check(name="host namespaces", levels=_BASELINE, find=_host_namespaces),
    _Check(
        name="privileged",
        levels=_BASELINE,
        find=lambda spec: _named(
            spec, lambda context: context.get("privileged") is True, "must not set securityContext.privileged=true"
        ),
    ),
    _Check(name="hostPath volumes", levels=_BASELINE, find=_host_paths),
    _Check(name="hostPort", levels=_BASELINE, find=_host_ports),
    _Check(name="non-default capabilities", levels=("baseline",), find=_extra_capabilities),
    _Check(name="seccompProfile", levels=("baseline",), find=_unconfined),
    _Check(
        name="allowPrivilegeEscalation != false",
        levels=_RESTRICTED,
        find=lambda spec: _named(
            spec,
            lambda context: context.get("allowPrivilegeEscalation") is not False,
            "must set securityContext.allowPrivilegeEscalation=false",
        ),
    ),
    _Check(name="unrestricted capabilities", levels=_RESTRICTED, find=_dropped_capabilities),
    _Check(name="restricted volume types", levels=_RESTRICTED, find=_volume_types),
    _Check(name="runAsNonRoot != true", levels=_RESTRICTED, find=_non_root),
    _Check(name="runAsUser=0", levels=_RESTRICTED, find=_root_user),
    _Check(name="seccompProfile", levels=_RESTRICTED, find=_seccomp),
)
