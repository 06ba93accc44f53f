"""The rules' speed: offline over large stacks, beside conftest over the same graph, and in a preview beside none.

`python -m bench.policies` measures the first two alone; `python -m bench.policies judge STATE RULE…` is what stands
beside conftest: one process that reads a state and asks some rules.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from gpufleet.catalog import sizes
from gpufleet.engine.cache import cache_root
from gpufleet.engine.project import ROOT
from gpufleet.engine.source_build import find_go
from gpufleet.graph import Graph, Node, state
from gpufleet.graph.model import STACK_TYPE, Value
from gpufleet.graph.wire import UNKNOWN_TEXT
from gpufleet.spec import Environment, StackFile, load_environment
from policies.catalogue import rules
from policies.evaluate import Result, Verdict, evaluate
from policies.rule import Pack
from policies.view import ENVIRONMENT, View, plain_type

SIZES = (1_000, 10_000)
EQUIVALENTS = ("PLAT002", "PLAT006", "SCALE002")
"""The rules that bench/rego/fleet.rego says too."""
CONFTEST = "CONFTEST"
"""Variable that names a conftest; without it one is built from tools/conftest."""
WITH_PACKS = "pulumi preview prod, three policy packs"

_ROOTS = (STACK_TYPE, ENVIRONMENT)
_STACK = "prod"
_NOTHING = {"version": 3, "deployment": {"resources": []}}


def commands() -> Iterator[tuple[str, list[str], Path]]:
    """Name, command and working folder of the preview with the packs; `bench.checks` has the one without."""
    packs = [part for pack in Pack for part in ("--policy-pack", str(ROOT / "policies" / pack))]
    yield WITH_PACKS, ["pulumi", "preview", "--non-interactive", "--stack", _STACK, *packs], ROOT


def milliseconds(folder: Path) -> dict[str, float]:
    """All that is measured without an engine.

    Args:
        folder: for the states that both read, and for conftest; made if it is not there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return {**offline_figures(), **beside_conftest(conftest_binary(), folder)}


def offline_figures() -> dict[str, float]:
    """Milliseconds that all rules take, and a rule on average, by number of resources in the stack."""
    environment, graph = _sample()
    evaluate(View(graph=graph, given=environment), rules())  # the price list and the catalogue are read once a process
    found: dict[str, float] = {}
    for size in SIZES:
        large = enlarged(graph, size)
        begun = time.perf_counter()
        results = evaluate(View(graph=large, given=environment), rules())
        seconds = time.perf_counter() - begun
        found[f"all {len(results)} rules over {len(large):,} resources"] = seconds * 1000
        found[f"one rule over {len(large):,} resources, average"] = seconds * 1000 / len(results)
    return found


def beside_conftest(conftest: Path, folder: Path) -> dict[str, float]:
    """Three rules over the same states in both, milliseconds, with a process's start and without.

    Without: a process over an empty state is taken away from both, and ours is timed inside its process as well.

    Raises:
        RuntimeError: the two find different things, so the figures would say nothing.
    """
    data = folder / "sizes.json"
    known = {size.name: {"rdma": size.rdma, "gpu": size.is_gpu} for size in map(sizes.get, sizes.names())}
    data.write_text(json.dumps({"sizes": known}))
    _, graph = _sample()
    empty = folder / "empty.json"
    empty.write_text(json.dumps(_NOTHING))
    theirs = [str(conftest), "test", "--policy", str(ROOT / "bench" / "rego"), "--data", str(data), "--output", "json"]
    ours = [sys.executable, "-m", "bench.policies", "judge"]
    start_theirs = _milliseconds([*theirs, str(empty)])[0]
    start_ours = _milliseconds([*ours, str(empty), *EQUIVALENTS])[0]
    found = {"conftest, start": start_theirs, "gpufleet rules, start": start_ours}
    for size in SIZES:
        path = folder / f"{size}.json"
        path.write_text(json.dumps(as_state(_broken(enlarged(graph, size)))))
        took_theirs, said_theirs = _milliseconds([*theirs, str(path)])
        took_ours, said_ours = _milliseconds([*ours, str(path), *EQUIVALENTS])
        objected = sum(len(one.get("failures") or ()) for one in json.loads(said_theirs))
        mine = json.loads(said_ours)
        if not objected or objected != mine["objections"]:
            raise RuntimeError(f"conftest objects {objected} times, the rules {mine['objections']} times")
        name = f"three rules over {size:,} resources"
        found |= {
            f"conftest, {name}, start included": took_theirs,
            f"gpufleet rules, {name}, start included": took_ours,
            f"conftest, {name}, start excluded": took_theirs - start_theirs,
            f"gpufleet rules, {name}, start excluded": took_ours - start_ours,
            f"gpufleet rules, {name}, evaluation alone": mine["milliseconds"],
        }
    return found


def conftest_binary() -> Path:
    """The conftest that $CONFTEST names, or one built of the pinned module and kept beside the engine."""
    if named := os.environ.get(CONFTEST):
        return Path(named)
    sources = ROOT / "tools" / "conftest"
    key = hashlib.sha256((sources / "go.sum").read_bytes()).hexdigest()[:12]
    binary = cache_root() / "conftest" / key / "conftest"
    if not binary.exists():
        go = find_go(sources, cache=cache_root())
        command = [str(go), "build", "-trimpath", "-o", str(binary), "github.com/open-policy-agent/conftest"]
        subprocess.run(command, cwd=sources, check=True)
    return binary


def enlarged(graph: Graph, size: int) -> Graph:
    """A stack of at least `size` resources: the same fabrics and regions again and again, under other names."""
    roots = [node for node in graph if node.type in _ROOTS]
    rest = [node for node in graph if node.type not in _ROOTS]
    nodes, copy = list(graph), 1
    kept = {node.urn for node in roots}
    while len(nodes) < size:
        nodes += [_renamed(node, f"-{copy}", kept) for node in rest]
        copy += 1
    return Graph(nodes)


def as_state(graph: Graph) -> Mapping[str, object]:
    """A graph in the form of `pulumi stack export`; what is unknown says so as the engine does."""
    return {"version": 3, "deployment": {"resources": [_as_resource(node) for node in graph]}}


def judge(path: Path, ids: Sequence[str]) -> Mapping[str, float]:
    """How often some rules object to a state, and how long they took."""
    graph = state.read(path.read_text())
    asked = [rule for rule in rules() if rule.id in ids]
    begun = time.perf_counter()
    results = evaluate(View(graph=graph), asked)
    return {"objections": _objections(results), "milliseconds": (time.perf_counter() - begun) * 1000}


def _objections(results: Sequence[Result]) -> int:
    return sum(one.verdict is Verdict.FAIL for result in results for one in result.judgements)


def _sample() -> tuple[Environment, Graph]:
    from gpufleet.graph import offline  # noqa: PLC0415 half a second that `judge` has no use for

    environment = load_environment(StackFile.read(ROOT / "stacks" / f"Pulumi.{_STACK}.yaml"))
    return environment, offline.plan(_STACK, environment)


def _renamed(node: Node, suffix: str, kept: set[str]) -> Node:
    def other(urn: str) -> str:
        return urn if not urn or urn in kept else urn + suffix

    return replace(
        node,
        urn=other(node.urn),
        name=node.name + suffix,
        parent=other(node.parent),
        property_dependencies={
            key: tuple(sorted(map(other, urns))) for key, urns in node.property_dependencies.items()
        },
        dependencies=tuple(sorted(map(other, node.dependencies))),
    )


def _broken(graph: Graph) -> Graph:
    """Every tenth pool too large and without a taint, every tenth cluster with local accounts."""
    return Graph(_without(node) if index % 10 == 0 else node for index, node in enumerate(graph))


def _without(node: Node) -> Node:
    kind = plain_type(node.type).rpartition(":")[2]
    changes: dict[str, dict[str, Value]] = {
        "AgentPool": {"maxCount": 200, "nodeTaints": []},
        "ManagedCluster": {"disableLocalAccounts": False},
    }
    return replace(node, properties={**node.properties, **changes.get(kind, {})})


def _as_resource(node: Node) -> Mapping[str, object]:
    return {
        "urn": node.urn,
        "type": node.type,
        "parent": node.parent,
        "custom": node.custom,
        "inputs": json.loads(json.dumps(dict(node.properties), default=lambda _: UNKNOWN_TEXT)),
        "dependencies": list(node.dependencies),
        "propertyDependencies": {key: list(urns) for key, urns in node.property_dependencies.items()}
        | {key: [] for key in node.properties if key not in node.property_dependencies},
    }


def _milliseconds(command: Sequence[str]) -> tuple[float, str]:
    begun = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    took = (time.perf_counter() - begun) * 1000
    if done.returncode not in {0, 1} or not done.stdout.strip():  # conftest ends with 1 when something fails
        raise RuntimeError(f"{command[0]}: {done.stderr.strip() or done.returncode}")
    return took, done.stdout


if __name__ == "__main__":
    if sys.argv[1:2] == ["judge"]:
        sys.stdout.write(json.dumps(judge(Path(sys.argv[2]), sys.argv[3:])))
    else:
        with tempfile.TemporaryDirectory() as name:
            figures = milliseconds(Path(name))
        sys.stdout.write("\n".join(f"{value:12,.1f}  {key}" for key, value in figures.items()) + "\n")
