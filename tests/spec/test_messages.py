from __future__ import annotations

import re

import pytest

from gpufleet.spec.base import Path
from gpufleet.spec.fields import MEANINGS
from gpufleet.spec.json_schema import stack_file_schema
from tests.spec.environments import CLUSTER, DATA, NETWORK, POOL, SERVE, changed, verdict

_LUSTRE = ("training", 0, "storage", "lustre")


@pytest.mark.parametrize(
    ("path", "value", "text"),
    [
        (("owner",), 3, "owner: must be text, not 3. Put it in quotes."),
        (("owner",), ["x"], "owner: must be text, not a list."),
        (("owner",), None, "owner: is empty. Give it a value, or leave the key out if it has a default."),
        (
            ("owner",),
            "-x",
            'owner: the text "-x" is not 1 to 128 letters, digits, spaces and . _ @ -, no sign first.',
        ),
        (
            ("class",),
            "prod",
            'class: must be one of ephemeral, standard, production, not the text "prod". Did you mean production?',
        ),
        (("class",), 3, "class: must be one of ephemeral, standard, production, not 3."),
        (
            ("allowedRegions",),
            "eastus",
            (
                'allowedRegions: must be a list, not the text "eastus". Put the items in [ ], or each on a line of '
                "its own behind a dash."
            ),
        ),
        (("allowedRegions",), [], "allowedRegions: must have 1 or more items."),
        (
            ("allowedRegions", 0),
            "East US",
            'allowedRegions[0]: the text "East US" is not an Azure region by its programmatic name, such as eastus.',
        ),
        (
            ("budget",),
            5,
            (
                "budget: must be a block of keys, not 5. "
                "Known here: monthlyUsd, gate, start, contacts, alerts, allocations."
            ),
        ),
        (
            ("budget", "monthlyUsd"),
            "9500000",
            'budget.monthlyUsd: must be a number, not the text "9500000". Leave the quotes out.',
        ),
        (("budget", "monthlyUsd"), True, "budget.monthlyUsd: must be a number, not true."),
        (("budget", "monthlyUsd"), float("nan"), "budget.monthlyUsd: must be a finite number, not nan."),
        (("budget", "monthlyUsd"), float("inf"), "budget.monthlyUsd: must be a finite number, not inf."),
        (("budget", "monthlyUsd"), 0, "budget.monthlyUsd: must be more than 0, not 0."),
        (("budget", "monthlyUsd"), 2e12, "budget.monthlyUsd: must be at most 1,000,000,000,000, not 2000000000000.0."),
        (("budget", "monthlyUsd"), 10**4000, "budget.monthlyUsd: is far too large a number. Check its digits."),
        (("budget", "start"), "soon", 'budget.start: must be a date such as 2026-12-01, not the text "soon".'),
        (("budget", "start"), 20261201, "budget.start: must be a date such as 2026-12-01, not 20261201."),
        (
            ("budget", "start"),
            "2026-02-30",
            'budget.start: the text "2026-02-30" is not a date that exists: day is out of range for month.',
        ),
        (("budget", "contacts"), ["x"] * 51, None),
        (
            ("budget", "alerts"),
            [{"kind": "actual", "percent": 1001}],
            "budget.alerts[0].percent: must be at most 1,000, not 1001.",
        ),
        (("budget", "alerts"), [{"kind": "actual"}], "budget.alerts[0].percent: is missing. Add it."),
        (
            ("budget", "alerts"),
            [{"percent": 5}],
            "budget.alerts[0].kind: is missing. Add it: one of actual, forecasted.",
        ),
        (
            (*POOL, "nodes"),
            "4",
            (
                'training[0].pools[0].nodes: must be a number of nodes or a range, not the text "4". Write `nodes: '
                "4`, or `nodes: {min: 0, max: 4}`."
            ),
        ),
        (
            (*POOL, "nodes"),
            True,
            (
                "training[0].pools[0].nodes: must be a number of nodes or a range, not true. Write `nodes: 4`, or "
                "`nodes: {min: 0, max: 4}`."
            ),
        ),
        (
            (*POOL, "nodes"),
            2.5,
            (
                "training[0].pools[0].nodes: must be a number of nodes or a range, not 2.5. Write `nodes: 4`, or "
                "`nodes: {min: 0, max: 4}`."
            ),
        ),
        ((*POOL, "nodes"), 0, "training[0].pools[0].nodes: must be at least 1, not 0."),
        ((*POOL, "nodes"), 10**80, "training[0].pools[0].nodes: is far too large a number. Check its digits."),
        ((*POOL, "nodes", "max"), True, "training[0].pools[0].nodes.max: must be a whole number, not true."),
        (
            (*POOL, "nodes", "max"),
            "3",
            'training[0].pools[0].nodes.max: must be a whole number, not the text "3". Leave the quotes out.',
        ),
        ((*POOL, "nodes", "max"), 1001, "training[0].pools[0].nodes.max: must be at most 1000, not 1001."),
        ((*POOL, "name"), "h-100", None),
        ((*POOL, "zones"), [4], 'training[0].pools[0].zones[0]: the text "4" is not an availability zone: 1, 2 or 3.'),
        ((*POOL, "zones"), [True], "training[0].pools[0].zones[0]: must be text, not true. Put it in quotes."),
        ((*DATA, "labels"), {"x": 1}, "training[0].pools[1].labels.x: must be text, not 1. Put it in quotes."),
        ((*DATA, "labels"), "x", 'training[0].pools[1].labels: must be a block of keys, not the text "x".'),
        (
            (*DATA, "taints"),
            ["x"],
            (
                'training[0].pools[1].taints[0]: the text "x" is not a Kubernetes taint key=value:effect with the '
                "effect NoSchedule, PreferNoSchedule or NoExecute."
            ),
        ),
        (
            (*SERVE, "priorty"),
            "spot",
            "inference.regions[0].pools[0].priorty: is not a known key. Did you mean `priority`?",
        ),
        (
            (*CLUSTER, "kubernetesVersion"),
            1.34,
            "training[0].cluster.kubernetesVersion: must be text, not 1.34. Put it in quotes.",
        ),
        (
            (*CLUSTER, "apiServer"),
            {"private": "yes"},
            'training[0].cluster.apiServer.private: must be true or false, not the text "yes".',
        ),
        (
            (*NETWORK, "vnetCidr"),
            "10.0.0.1/16",
            'training[0].network.vnetCidr: the text "10.0.0.1/16" is not the start of a range; write 10.0.0.0/16.',
        ),
        (
            (*NETWORK, "vnetCidr"),
            "10.0.0.0",
            (
                'training[0].network.vnetCidr: the text "10.0.0.0" has no prefix length; write 10.0.0.0/32 for one '
                "address."
            ),
        ),
        (
            (*NETWORK, "vnetCidr"),
            "fd00::/8",
            'training[0].network.vnetCidr: the text "fd00::/8" is not an IPv4 range such as 10.0.0.0/16.',
        ),
        ((*_LUSTRE, "sku"), "AMLFS-Durable-Premium-100", None),
        (
            ("training", 0, "storage", "blob"),
            {"containers": ["ab"]},
            'training[0].storage.blob.containers[0]: must have at least 3 characters, not the text "ab".',
        ),
        (("tags",), {"x": "y" * 257}, "tags.x: must have at most 256 characters."),
        (
            ("inference", "frontDoor"),
            {"originResponseTimeoutSeconds": 241},
            "inference.frontDoor.originResponseTimeoutSeconds: must be at most 240, not 241.",
        ),
    ],
)
def test_words(path: Path, value: object, text: str | None) -> None:
    problems = [
        str(problem).removeprefix("configuration gpufleet:environment: error: ")
        for problem in verdict(changed({path: value}))
    ]
    if text is None:
        assert len(problems) >= 1
        assert "refused" not in problems[0]
    else:
        assert problems == [text]


def test_a_long_value_is_cut_and_stays_on_one_line() -> None:
    [problem] = verdict(changed({("owner",): "-\n" + "x" * 1000}))
    assert problem.message.startswith('the text "-\\nxxx')
    assert len(problem.message) < 200


def test_every_pattern_of_the_models_has_words() -> None:
    patterns = set(re.findall(r'"pattern": "((?:[^"\\]|\\.)*)"', __import__("json").dumps(stack_file_schema())))
    assert {pattern.replace("\\\\", "\\") for pattern in patterns} <= set(MEANINGS)
