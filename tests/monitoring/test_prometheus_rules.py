from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from components.serving_rules import prometheus_file
from gpufleet.spec.pool_names import agent_pools
from tests.monitoring.regions import groups, inference
from tools import promtool

pytestmark = pytest.mark.promtool

CASES = Path(__file__).parent / "promtool.yaml"


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """The region's rules as Prometheus reads them."""
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump(prometheus_file(groups(inference()))), encoding="utf-8")
    return file


def ask(*arguments: str | Path) -> str:
    done = subprocess.run([promtool.find(), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_prometheus_takes_every_rule(rules: Path) -> None:
    wanted = sum(len(group.rules) for group in groups(inference()))
    assert f"SUCCESS: {wanted} rules found" in ask("check", "rules", "--lint=all", "--lint-fatal", rules)


def test_the_rules_say_what_they_should(rules: Path) -> None:
    cases = yaml.safe_load(CASES.read_text(encoding="utf-8"))
    for series in (one for case in cases["tests"] for one in case["input_series"]):
        for pool in inference().regions[0].pools:
            series["series"] = series["series"].replace(f"{{{pool.name}}}", agent_pools(pool)[0].name)
    file = rules.with_name("cases.yaml")
    file.write_text(yaml.safe_dump({**cases, "rule_files": [str(rules)]}), encoding="utf-8")
    assert "SUCCESS" in ask("test", "rules", file)


def test_every_alert_has_a_case() -> None:
    cases = yaml.safe_load(CASES.read_text(encoding="utf-8"))["tests"]
    fires = {one["alertname"] for case in cases for one in case["alert_rule_test"] if one["exp_alerts"]}
    rests = {one["alertname"] for case in cases for one in case["alert_rule_test"] if not one["exp_alerts"]}
    alerts = {rule.alert for group in groups(inference()) for rule in group.rules if rule.alert}
    assert alerts - fires == {"TimePerTokenOverTarget"}
    assert "TimePerTokenOverTarget" in rests
