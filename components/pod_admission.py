"""What stands in for Pod Security where InfiniBand asks for more than its levels allow.

RDMA pins memory, so it needs the capability IPC_LOCK, which `baseline` and `restricted` forbid, and Pod Security can't
allow one thing by itself. Such namespaces are `privileged`, and a ValidatingAdmissionPolicy has the level's rules with
that one more.
"""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi_kubernetes import admissionregistration, meta

from components.in_cluster import ClusterAccess

# Pod Security Standards, "baseline", capabilities that may be added (Kubernetes 1.34), and IPC_LOCK: RDMA pins memory
# (Azure/aks-rdma-infiniband tests/scenarios/k8s).
_CAPABILITIES = (
    "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "IPC_LOCK", "KILL", "MKNOD", "NET_BIND_SERVICE",
    "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
)  # fmt: skip

Rule = tuple[str, str]
"""A CEL expression that holds for every pod, and what is said when it doesn't."""


def pod_policy(
    parent: pulumi.Resource,
    prefix: str,
    access: ClusterAccess,
    *,
    name: str,
    namespaces: meta.v1.LabelSelectorArgs,
    rules: Sequence[Rule],
) -> pulumi.Resource:
    """A policy over the pods of some namespaces, inside the component `parent`.

    Returns its binding: the namespaces come after it, for `privileged` alone would allow everything.
    """
    policy = admissionregistration.v1.ValidatingAdmissionPolicy(
        f"{prefix}-policy",
        metadata=meta.v1.ObjectMetaArgs(name=name),
        spec=_policy(rules),
        opts=access.child(parent),
    )
    return admissionregistration.v1.ValidatingAdmissionPolicyBinding(
        f"{prefix}-policy-binding",
        metadata=meta.v1.ObjectMetaArgs(name=name),
        spec=admissionregistration.v1.ValidatingAdmissionPolicyBindingSpecArgs(
            policy_name=name,
            validation_actions=["Deny"],
            match_resources=admissionregistration.v1.MatchResourcesArgs(namespace_selector=namespaces),
        ),
        opts=access.child(parent, depends_on=[policy]),
    )


def _policy(rules: Sequence[Rule]) -> admissionregistration.v1.ValidatingAdmissionPolicySpecArgs:
    return admissionregistration.v1.ValidatingAdmissionPolicySpecArgs(
        failure_policy="Fail",
        match_constraints=admissionregistration.v1.MatchResourcesArgs(
            resource_rules=[
                admissionregistration.v1.NamedRuleWithOperationsArgs(
                    api_groups=[""],
                    api_versions=["v1"],
                    operations=["CREATE", "UPDATE"],
                    resources=["pods", "pods/ephemeralcontainers"],
                )
            ]
        ),
        variables=[
            admissionregistration.v1.VariableArgs(
                name="containers",
                expression="object.spec.containers + object.spec.?initContainers.orValue([]) + "
                "object.spec.?ephemeralContainers.orValue([])",
            )
        ],
        validations=[
            admissionregistration.v1.ValidationArgs(expression=expression, message=message)
            for expression, message in rules
        ],
    )


def baseline_rules(whose: str) -> list[Rule]:
    """Pod Security's `baseline`, with IPC_LOCK. `whose` pods they are, as messages say: `of a team`."""
    capabilities = ", ".join(f"'{name}'" for name in _CAPABILITIES)
    return [
        (
            (
                "!object.spec.?hostNetwork.orValue(false) && !object.spec.?hostPID.orValue(false) && "
                "!object.spec.?hostIPC.orValue(false)"
            ),
            f"pods {whose} have no host namespaces (Pod Security baseline)",
        ),
        (
            "variables.containers.all(c, !c.?securityContext.?privileged.orValue(false))",
            f"containers {whose} are not privileged (Pod Security baseline)",
        ),
        (
            (
                f"variables.containers.all(c, c.?securityContext.?capabilities.?add.orValue([]).all(k, "
                f"k in [{capabilities}]))"
            ),
            f"containers {whose} add IPC_LOCK at most to what Pod Security's baseline allows",
        ),
        (
            "object.spec.?volumes.orValue([]).all(v, !has(v.hostPath))",
            f"pods {whose} have no hostPath volumes (Pod Security baseline)",
        ),
        (
            "variables.containers.all(c, c.?ports.orValue([]).all(p, p.?hostPort.orValue(0) == 0))",
            f"containers {whose} have no host ports (Pod Security baseline)",
        ),
        (
            (
                "variables.containers.all(c, c.?securityContext.?procMount.orValue('Default') == 'Default') && "
                "object.spec.?securityContext.?seccompProfile.?type.orValue('') != 'Unconfined' && "
                "variables.containers.all(c, c.?securityContext.?seccompProfile.?type.orValue('') != 'Unconfined')"
            ),
            f"pods {whose} keep the default /proc mount and a seccomp profile (Pod Security baseline)",
        ),
    ]


def restricted_rules(whose: str) -> list[Rule]:
    """What `restricted` asks for beyond `baseline`, as far as RDMA can bear it: IPC_LOCK works for root alone.

    (Kubernetes has no ambient capabilities, KEP-2763.)
    """
    return [
        (
            "variables.containers.all(c, c.?securityContext.?allowPrivilegeEscalation.orValue(true) == false)",
            f"containers {whose} say allowPrivilegeEscalation: false (Pod Security restricted)",
        ),
        (
            (
                "variables.containers.all(c, c.?securityContext.?capabilities.?drop.orValue([]).exists(k, k == 'ALL') "
                "&& c.?securityContext.?capabilities.?add.orValue([]).all(k, k == 'IPC_LOCK'))"
            ),
            f"containers {whose} drop ALL capabilities and add IPC_LOCK at most (Pod Security restricted)",
        ),
        (
            (
                "object.spec.?securityContext.?seccompProfile.?type.orValue('') == 'RuntimeDefault' || "
                "variables.containers.all(c, c.?securityContext.?seccompProfile.?type.orValue('') == 'RuntimeDefault')"
            ),
            f"pods {whose} say seccompProfile: RuntimeDefault (Pod Security restricted)",
        ),
        (
            (
                "object.spec.?volumes.orValue([]).all(v, has(v.configMap) || has(v.downwardAPI) || has(v.emptyDir) || "
                "has(v.persistentVolumeClaim) || has(v.projected) || has(v.secret))"
            ),
            f"pods {whose} have volumes of claims, config maps, secrets and memory alone (Pod Security restricted)",
        ),
    ]
