"""What a refusal says, whether it passes by itself, and whether it leaves anything open."""

from __future__ import annotations

import pytest

from gpufleet.catalog.azure_errors import Retry, known_errors
from gpufleet.engine.azure_errors import existing_id, outcome_is_known, refusal

ASKED = """
QuotaExceeded SkuNotAvailable AllocationFailed ZonalAllocationFailed OverconstrainedAllocationRequest Conflict
OperationNotAllowed AnotherOperationInProgress TooManyRequests InternalServerError PrincipalNotFound ScopeLocked
RoleAssignmentExists SubnetIsFull InUseSubnetCannotBeDeleted AuthorizationFailed PropertyChangeNotAllowed
RequestDisallowedByPolicy NetcfgSubnetRangesOverlap LinkedAuthorizationFailed
"""


def azure(status: int, code: str) -> str:
    return f'autorest/azure: Service returned an error. Status={status} Code="{code}" Message="No."'


@pytest.mark.parametrize(
    ("message", "passes"),
    [
        (azure(409, "AnotherOperationInProgress"), True),
        (azure(429, "TooManyRequests"), True),
        (azure(500, "InternalServerError"), True),
        (azure(503, "SomethingNew"), True),
        (azure(429, "SomethingNew"), True),
        (azure(409, "QuotaExceeded"), False),
        (azure(409, "AllocationFailed"), False),
        (azure(400, "SomethingNew"), False),
        ("words", False),
    ],
)
def test_only_what_azure_says_passes_by_itself(message: str, passes: bool):
    assert refusal(message).passes_by_itself is passes


@pytest.mark.parametrize(
    ("message", "known"),
    [
        (azure(409, "QuotaExceeded"), True),
        (azure(400, "InvalidParameter"), True),
        (azure(429, "TooManyRequests"), True),
        (azure(408, "RequestTimeout"), False),
        (azure(500, "InternalServerError"), False),
        ("error reading from server: EOF", False),
        ('connection error: desc = "transport: Error while dialing: connection refused"', False),
        ("context deadline exceeded", False),
        ("", False),
        ("cannot create already existing resource '/subscriptions/s/resourceGroups/rg'", True),
        ('resource default/a was not successfully created: namespaces "a" already exists', True),
    ],
)
def test_a_refusal_is_certain_and_a_broken_line_is_not(message: str, known: bool):
    assert outcome_is_known(message) is known


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            "cannot create already existing resource '/subscriptions/s/resourceGroups/rg'",
            "/subscriptions/s/resourceGroups/rg",
        ),
        ("cannot create already existing subresource '/subscriptions/s/x'", "/subscriptions/s/x"),
        ('namespaces "a" already exists', ""),
        ("not there", None),
    ],
)
def test_which_resource_exists_already(message: str, expected: str | None):
    assert existing_id(message) == expected


def test_every_code_says_what_to_do_and_where_that_is_from():
    table = known_errors()
    asked = set(ASKED.split())
    assert asked <= table.keys()
    assert {code for code in asked if table[code].retry is Retry.YES} == {
        "Conflict", "AnotherOperationInProgress", "TooManyRequests", "InternalServerError", "PrincipalNotFound",
    }  # fmt: skip
    assert all(known.hint.endswith(".") and known.source for known in table.values())
    assert list(table) == sorted(table)
