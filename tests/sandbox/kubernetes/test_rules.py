"""Every rule of the API server, with a violating and a nearest passing case (rules.yaml)."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.drift import parse_path
from sandbox.kubernetes.fields import FieldError
from sandbox.kubernetes.kinds import Kind
from sandbox.kubernetes.rules import RULES, check_object
from sandbox.values import UNKNOWN, Secret
from tests.sandbox.kubernetes.objects import KINDS, example, token_of


class _Loader(yaml.SafeLoader):
    """YAML with ``!size N``, a string of so many characters."""


def _long(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> str:
    return "a" * int(str(loader.construct_scalar(node)))


_Loader.add_constructor("!size", _long)
ROWS: list[list[Any]] = yaml.load(Path(__file__).with_name("rules.yaml").read_text(encoding="utf-8"), Loader=_Loader)


def expanded(path: str, kind: str) -> str:
    pod = "spec" if kind == "Pod" else "spec.template.spec"
    return path.replace("~c.", f"{pod}.containers[0].").replace("~", f"{pod}.")


def changed(kind: str, changes: dict[str, Any]) -> dict[str, Any]:
    body = example(kind)
    for path, value in changes.items():
        here: Any = body
        steps = parse_path(expanded(path, kind))
        last = steps[-1]
        for step, following in itertools.pairwise(steps):
            new: Any = [] if isinstance(following, int) else {}
            here = here.setdefault(step, new) if isinstance(here, dict) else here[step]
        if isinstance(here, list) and last == len(here):
            here.append(value)
        elif value is None:
            del here[last]
        else:
            here[last] = value
    return body


def errors(body: dict[str, Any]) -> list[FieldError]:
    return check_object(Kind.from_token(token_of(body)), body)


def test_every_rule_has_a_row_and_a_source() -> None:
    assert {rule.id for rule in RULES} == {row[0] for row in ROWS} - {"integers"}
    assert len({rule.id for rule in RULES}) == len(RULES)
    assert [rule.id for rule in RULES if not rule.source] == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_examples_are_valid(kind: str) -> None:
    assert errors(example(kind)) == []


@pytest.mark.parametrize(
    ("rule", "kind", "bad", "path", "good"), ROWS, ids=[f"{row[0]}-{n}" for n, row in enumerate(ROWS)]
)
def test_a_violation_is_refused_and_the_nearest_case_passes(
    rule: str, kind: str, bad: dict[str, Any], path: str, good: dict[str, Any]
) -> None:
    where = expanded(path or next(iter(bad)), kind)
    assert [(error.rule, error.path) for error in errors(changed(kind, bad))] == [(rule, where)]
    assert errors(changed(kind, good)) == []


def test_what_is_not_known_yet_passes() -> None:
    # Other rules of the same object may still speak; a wrong key is wrong whatever its value.
    of_keys = {"limit-resource", "resource-name", "quota-resource", "data-key", "data-overlap"}
    single = [(rule, kind, bad) for rule, kind, bad, _, _ in ROWS if len(bad) == 1 and rule not in of_keys]
    assert len(single) > 150
    objects = [(rule, changed(kind, dict.fromkeys(bad, UNKNOWN))) for rule, kind, bad in single]
    assert [rule for rule, body in objects if rule in {error.rule for error in errors(body)}] == []


def test_a_secret_is_checked_and_not_shown() -> None:
    body = changed("Secret", {"data": {"a": Secret("not base64!")}})
    assert [str(error) for error in errors(body)] == ["data.a: illegal base64 data"]
    body = changed("Deployment", {"~c.image": Secret(" very secret")})
    [error] = errors(body)
    assert error.text == 'Invalid value: "[secret]": must not have leading or trailing whitespace'


@pytest.mark.parametrize(
    ("kind", "bad", "text"),
    [
        (
            "Service",
            {"spec.ports[0].port": 0},
            "spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive",
        ),
        (
            "Service",
            {"spec.sessionAffinity": "Client"},
            'spec.sessionAffinity: Unsupported value: "Client": supported values: "ClientIP", "None"',
        ),
        (
            "Deployment",
            {"~c.volumeMounts[0].name": "x"},
            'spec.template.spec.containers[0].volumeMounts[0].name: Not found: "x"',
        ),
        (
            "Deployment",
            {"spec.template.metadata.labels": {"app": "x"}},
            'spec.template.metadata.labels: Invalid value: {"app":"x"}: `selector` does not match template `labels`',
        ),
        (
            "Deployment",
            {"~c.env[0].name": "KEY"},
            'spec.template.spec.containers[0].env[1].name: Duplicate value: "KEY"',
        ),
        (
            "Job",
            {"~restartPolicy": None},
            'spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
        ),
        (
            "PriorityClass",
            {"value": 1000000001},
            "value: Forbidden: maximum allowed value of a user defined priority is 1000000000",
        ),
    ],
)
def test_texts_are_the_api_servers(kind: str, bad: dict[str, Any], text: str) -> None:
    assert [str(error) for error in errors(changed(kind, bad))] == [text]
