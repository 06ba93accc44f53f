from __future__ import annotations

import ast
import re
from pathlib import Path

import pulumi
import pytest

from components.labels import label_value
from components.program import main
from gpufleet.spec import parse_environment
from gpufleet.spec.own_tags import environment_tags
from tests.components.graphs import ROOT, build, stack_graph
from tests.spec.environments import changed, environment


def test_a_mistake_in_the_specification_is_a_text_without_a_trace() -> None:
    with pytest.raises(pulumi.RunError) as caught:
        build(changed({("owners",): "x"}), stack="nosuchfile")
    assert "owners" in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_mistake_is_placed_in_the_stack_file_when_it_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "config:\n  gpufleet:environment:\n    class: wrong\n"
    (tmp_path / "Pulumi.placed.yaml").write_text(text, encoding="utf-8")
    monkeypatch.setattr("components.program._STACKS", tmp_path)
    with pytest.raises(pulumi.RunError, match=re.escape("stacks/Pulumi.placed.yaml:3:")):
        build({"class": "wrong"}, stack="placed")


def test_an_unknown_way_to_log_in() -> None:
    with pytest.raises(pulumi.RunError, match="gpufleet:kubeLogin is 'password'") as caught:
        build(environment(), settings={"kubeLogin": "password"})
    assert str(caught.value).endswith("Use one of azurecli, workloadidentity, spn.")


def test_a_stack_name_that_cannot_be_part_of_azure_names() -> None:
    with pytest.raises(pulumi.RunError, match="'Prod_1' cannot be part of Azure names"):
        build(environment(), stack="Prod_1")


def _without_an_environment() -> None:
    pulumi.runtime.set_all_config({})
    main()


def test_a_missing_environment_is_said() -> None:
    with pytest.raises(pulumi.ConfigMissingError, match="gpufleet:environment"):
        build(environment(), program=_without_an_environment)


def test_tags_of_the_tool_win_over_the_environments() -> None:
    spec = parse_environment(changed({("tags",): {"purpose": "test", "team": "a"}}))
    assert environment_tags("prod", spec) == {
        "purpose": "test",
        "team": "a",
        "owner": "ml-platform",
        "cost-center": "cc-1",
        "environment": "prod",
        "class": "standard",
        "managed-by": "gpufleet",
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("NVIDIA H100 SXM5 80GB", "NVIDIA-H100-SXM5-80GB"),
        ("a/b (c)", "a-b--c"),
        ("-_.x", "x"),
        ("é", ""),
        ("x" * 70, "x" * 63),
    ],
)
def test_label_value(text: str, value: str) -> None:
    assert label_value(text) == value


def test_the_programs_entry_is_three_lines() -> None:
    tree = ast.parse((ROOT / "__main__.py").read_text(encoding="utf-8"))
    assert [ast.unparse(node) for node in tree.body[1:]] == ["from components.program import main", "main()"]


def test_providers_are_imported_by_module() -> None:
    """`import pulumi_azure_native as azure` makes checkers and editors read all of it (pulumi-azure-native#3124)."""
    for path in sorted((ROOT / "components").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                assert "pulumi_azure_native" not in {alias.name.split(".")[0] for alias in node.names}, path.name


def test_no_secret_leaves_by_the_outputs() -> None:
    text = str(stack_graph("prod").outputs)
    assert "certificate-authority-data" not in text
    assert "kubeconfig" not in text.replace("convert-kubeconfig", "")
