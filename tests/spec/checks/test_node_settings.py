from __future__ import annotations

from tests.spec.environments import DATA, POOL, SERVE, Case, cases, judge


@cases(
    Case(
        "a misspelt sysctl",
        {(*POOL, "sysctls"): {"vmMaxMapCont": 262144}},
        "training[0].pools[0].sysctls.vmMaxMapCont",
        "AKS has no such setting; did you mean vmMaxMapCount?",
        {(*POOL, "sysctls"): {"vmMaxMapCount": 65530}},
    ),
    Case(
        "a sysctl out of range",
        {(*DATA, "sysctls"): {"netCoreSomaxconn": 4095}},
        "training[0].pools[1].sysctls.netCoreSomaxconn",
        "must be a whole number from 4096 to 3240000, not 4095",
        {(*DATA, "sysctls"): {"netCoreSomaxconn": 4096}},
    ),
    Case(
        "no value",
        {(*DATA, "sysctls"): {"netIpv4TcpTwReuse": None}},
        "training[0].pools[1].sysctls.netIpv4TcpTwReuse",
        "must be true or false, not nothing",
        {(*DATA, "sysctls"): {"netIpv4TcpTwReuse": True}},
    ),
    Case(
        "a number of 5,000 digits",
        {(*DATA, "sysctls"): {"fsAioMaxNr": 10**5000}},
        "training[0].pools[1].sysctls.fsAioMaxNr",
        "must be a whole number from 65536 to 6553500, not a number that long",
        {(*DATA, "sysctls"): {"fsAioMaxNr": 65536}},
    ),
    Case(
        "a block where a value belongs",
        {(*DATA, "linuxOs"): {"transparentHugePageEnabled": {1: "a", "b": []}}},
        "training[0].pools[1].linuxOs.transparentHugePageEnabled",
        "must be one of always, madvise, never, not {1: 'a', 'b': []}",
        {(*DATA, "linuxOs"): {"transparentHugePageEnabled": "never", "transparentHugePageDefrag": "defer"}},
    ),
    Case(
        "ports the wrong way round",
        {(*SERVE, "sysctls"): {"netIpv4IpLocalPortRange": "60000 40000"}},
        "inference.regions[0].pools[0].sysctls.netIpv4IpLocalPortRange",
        'must be two ports such as "32768 60999", the first in 1024-60999, the last in 32768-65535 and above the '
        "first, not 60000 40000",
        {(*SERVE, "sysctls"): {"netIpv4IpLocalPortRange": "1024 65535"}},
    ),
    Case(
        "a sysctl that no pod may set",
        {(*SERVE, "kubelet"): {"allowedUnsafeSysctls": ["net.core.somaxconn", "vm.swappiness"]}},
        "inference.regions[0].pools[0].kubelet.allowedUnsafeSysctls",
        "must be a list of sysctls out of kernel.shm*, kernel.msg*, kernel.sem, fs.mqueue.*, net.*, not "
        "['net.core.somaxconn', 'vm.swappiness']",
        {(*SERVE, "kubelet"): {"allowedUnsafeSysctls": ["net.core.somaxconn", "kernel.shm*"]}},
    ),
    Case(
        "low above high",
        {(*DATA, "kubelet"): {"imageGcHighThreshold": 70, "imageGcLowThreshold": 71}},
        "training[0].pools[1].kubelet.imageGcLowThreshold",
        "71 is above imageGcHighThreshold, 70",
        {(*DATA, "kubelet"): {"imageGcHighThreshold": 70, "imageGcLowThreshold": 70, "cpuCfsQuotaPeriod": "50ms"}},
    ),
    Case(
        "high below the default of low",
        {(*POOL, "kubelet"): {"imageGcHighThreshold": 59}},
        "training[0].pools[0].kubelet",
        "imageGcLowThreshold 60 is above imageGcHighThreshold, 59",
        {(*POOL, "kubelet"): {"imageGcHighThreshold": 60, "podMaxPids": -1, "containerLogMaxFiles": 2}},
    ),
    Case(
        "one NUMA node for eight GPUs",
        {(*POOL, "kubelet"): {"topologyManagerPolicy": "single-numa-node"}},
        "training[0].pools[0].kubelet.topologyManagerPolicy",
        "the 8 GPUs of Standard_ND96isr_H100_v5 are on several NUMA nodes, so single-numa-node would refuse every pod "
        "that takes them all",
        {
            (*POOL, "kubelet"): {"topologyManagerPolicy": "restricted"},
            (*SERVE, "kubelet"): {"topologyManagerPolicy": "single-numa-node"},
        },
    ),
)
def test_settings_of_nodes(case: Case) -> None:
    judge(case)
