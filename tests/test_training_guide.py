"""The guide to training fabrics: its commands run, and what it points to is there."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from gpufleet.spec import load
from policies.catalogue import rules

ROOT = Path(__file__).parent.parent
GUIDE = ROOT / "docs" / "guides" / "training.md"
TEXT = GUIDE.read_text(encoding="utf-8")


def facts() -> Iterator[tuple[str, str, str, str]]:
    """Rows of the tables of facts: fact, source, what makes it hold, test."""
    for line in TEXT[TEXT.index("## Facts, and where") :].splitlines():
        if line.startswith("| ") and not line.startswith("| fact"):
            fact, source, holder, test = (cell.strip() for cell in line.strip("|").split(" | "))
            yield fact, source, holder, test


def test_every_fact_is_held_and_tested_by_what_exists() -> None:
    known = {rule.id for rule in rules()}
    found = list(facts())
    assert len(found) >= 55
    for fact, source, holder, test in found:
        named = {*re.findall(r"(?:COST|SCALE|PLAT)\d{3}", holder)}
        assert named <= known, fact
        paths = re.findall(r"`([^`]+)`", holder)
        assert named or paths, fact
        assert [path for path in paths if "/" in path and not (ROOT / path).exists()] == [], fact
        (place,) = re.findall(r"`([^`]+)`", test)
        file, _, name = place.partition("::")
        assert (ROOT / file).is_file(), place
        assert f"def {name}" in (ROOT / file).read_text(encoding="utf-8") if name else True, place
        assert source, fact


def test_links_lead_somewhere() -> None:
    targets = re.findall(r"\]\((?!https?://|#)([^)#]+)", TEXT)
    assert [target for target in targets if not (GUIDE.parent / target).exists()] == []


def test_every_refusal_of_the_list_is_tested() -> None:
    assert "`tests/spec/refused.yaml`" in TEXT
    assert len(YAML(typ="safe").load((ROOT / "tests" / "spec" / "refused.yaml").read_text(encoding="utf-8"))) == 14


def test_the_fabric_of_the_guide_is_valid(tmp_path: Path) -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    head = (
        "config:\n  gpufleet:environment:\n    class: production\n    owner: a\n    costCenter: b\n"
        "    allowedRegions: [eastus]\n"
        "    budget: { monthlyUsd: 9000000, gate: ceiling, start: 2026-12-01, contacts: [a@example.com] }\n"
    )
    (tmp_path / "Pulumi.x.yaml").write_text(
        head + "".join(f"    {line}\n" for line in block.splitlines()), encoding="utf-8"
    )
    (fabric,) = load(tmp_path / "Pulumi.x.yaml").environment.training
    assert [pool.name for pool in fabric.pools] == ["h100", "data"]


@pytest.mark.timeout(300)
def test_every_command_of_the_guide_runs(tmp_path: Path) -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```", TEXT, flags=re.MULTILINE | re.DOTALL)
    script = "\n".join(["set -v", *(line for block in blocks for line in block.splitlines())])
    assert "gpufleet check frontier" in script
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=ROOT,
        env={
            **os.environ,
            "GPUFLEET_SANDBOX_HOME": str(tmp_path / "sandbox"),
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert "duration  helm.sh/Release  240" in done.stdout
