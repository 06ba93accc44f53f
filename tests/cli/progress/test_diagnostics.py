"""Azure's code and text first, then where, then what to do."""

from __future__ import annotations

import pytest

from gpufleet.cli.progress.diagnostics import of_error, problems
from gpufleet.cli.progress.model import RunModel
from gpufleet.engine import Diagnostic, Resource, Severity, Step
from gpufleet.engine.azure_errors import refusal
from gpufleet.errors import ConfigurationError
from tests.recordings.streams import recorded


def told(message: str, urn: str = "", severity: Severity = Severity.ERROR) -> RunModel:
    model = RunModel()
    model.apply(Diagnostic(severity=severity, message=message, urn=urn), 0)
    return model


@pytest.mark.parametrize(
    ("message", "code", "status", "text"),
    [
        (
            'autorest/azure: an error. Status=409 Code="QuotaExceeded" Message="Too \\"many\\" cores."',
            "QuotaExceeded",
            409,
            'Too "many" cores.',
        ),
        (
            'RESPONSE 429: 429 Too Many Requests {"error": {"code": "TooManyRequests", "message": "Slow down."}}',
            "TooManyRequests",
            429,
            "Slow down.",
        ),
        ("StatusCode=403 ERROR CODE: AuthorizationFailed no", "AuthorizationFailed", 403, None),
        ("something else", "", 0, "something else"),
    ],
)
def test_every_form_of_azures_errors(message: str, code: str, status: int, text: str | None) -> None:
    (problem,) = problems(told(message))
    assert (problem.code, problem.status, problem.text) == (code, status, text or message)
    assert problem.hint == refusal(message).hint


def test_the_same_refusal_of_many_resources_is_told_once() -> None:
    model = RunModel()
    for index in range(3):
        urn = f"urn:pulumi:dev::gpufleet::a:b:AgentPool::p{index}"
        text = 'Status=409 Code="QuotaExceeded" Message="Too many cores."'
        model.apply(Diagnostic(severity=Severity.ERROR, message=text, urn=urn), 0)
    (problem,) = problems(model)
    assert problem.title == "QuotaExceeded (409)  AgentPool p0 and 2 more resources"
    assert len(problem.urns) == 3


def test_a_program_that_raises_is_one_line_without_its_stack_trace() -> None:
    (problem,) = problems(recorded("exc").model())
    assert problem.text == "the program raised ValueError: boom (GPUFLEET_DEBUG=1 shows where)"
    (traced,) = problems(recorded("exc").model(), traces=True)
    assert "Traceback (most recent call last):" in traced.text


def test_the_engines_last_words_are_left_out_and_errors_come_first() -> None:
    found = problems(recorded("policy").model())
    assert [(problem.severity, problem.code) for problem in found] == [
        (Severity.ERROR, "gpufleet-cost/cost-gate"),
        (Severity.WARNING, "gpufleet-cost/owner-tag"),
    ]


def test_a_protected_resource_says_how_to_let_it_go() -> None:
    (problem,) = problems(recorded("destroy_protected").model())
    assert problem.code == "protected"
    assert problem.hint == "To delete it on purpose: gpufleet destroy ENV --unprotect aks-dev-frontier"


def test_an_error_of_ours_keeps_its_hint() -> None:
    problem = of_error(ConfigurationError("wrong", hint="do right"))
    assert (problem.text, problem.hint, problem.urns) == ("wrong", "do right", ())


def test_what_misses_a_value_of_a_failed_resource_is_not_told_as_a_mistake() -> None:
    missing = "resource 'log' has a problem: missing required property 'resourceUri'"
    cluster = Resource(
        urn="urn:pulumi:dev::gpufleet::a:b:Cluster::aks", type="a:b:Cluster", name="aks", parent="", custom=True
    )
    model = told(missing, urn="urn:pulumi:dev::gpufleet::a:b:Log::log")
    assert [problem.text for problem in problems(model)] == [missing]
    model.apply(Step(resource=cluster, op="create", failed=True, seconds=1.0), 1.0)
    assert problems(model) == []


def test_what_exists_already_comes_with_the_import_command() -> None:
    text = "cannot create already existing resource '/subscriptions/s/resourceGroups/rg'"
    (problem,) = problems(told(text, urn="urn:pulumi:dev::gpufleet::x$azure-native:resources:ResourceGroup::dev-rg"))
    assert (problem.code, problem.text) == ("AlreadyExists", text)
    assert (
        "pulumi import 'azure-native:resources:ResourceGroup' dev-rg '/subscriptions/s/resourceGroups/rg'"
        in problem.hint
    )
    (nameless,) = problems(told('namespaces "a" already exists'))
    assert "pulumi import 'TYPE' NAME 'ID'" in nameless.hint
