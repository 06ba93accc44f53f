"""Write the lists of tests/components/golden anew: `python -m tests.components.write_golden`."""

from __future__ import annotations

from tests.components.graphs import ROOT, STACKS, stack_graph

if __name__ == "__main__":
    for stack in STACKS:
        lines = sorted(f"{resource.type} {resource.name}" for resource in stack_graph(stack).resources)
        path = ROOT / "tests" / "components" / "golden" / f"{stack}.txt"
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
