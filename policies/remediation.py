"""Tags that a policy pack adds where a resource lacks them, when the environment's configuration asks for it."""

from __future__ import annotations

from typing import Final

from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import analyzer_pb2

from policies.evaluate import Configured
from policies.reading import MistypedError, UndecidedError
from policies.rule import AnyRule
from policies.view import View

_TAGS: Final = "tags"


def remediation(
    rule: AnyRule, configured: Configured, view: View, request: analyzer_pb2.AnalyzeRequest
) -> analyzer_pb2.Remediation | None:
    """What a rule rewrites of one resource; None when there is nothing to mend, or nobody can tell.

    `Analyze` then says what is wrong, and the resource isn't made. Everything but the missing tags stays as it came,
    secrets and what is not known yet among it.
    """
    missing: dict[str, str] = {}
    try:
        for subject in rule.subjects(view):
            if subject.urn == request.urn:
                missing |= rule.remedy(subject, view, configured.settings)
    except (UndecidedError, MistypedError):
        return None
    if not missing:
        return None
    properties = Struct()
    properties.CopyFrom(request.properties)
    tags = properties.fields[_TAGS].struct_value.fields
    for key, value in missing.items():
        tags[key].string_value = value
    return analyzer_pb2.Remediation(
        policyName=rule.id,
        policyPackName=f"gpufleet-{rule.pack}",
        description=f"adds the tags {', '.join(sorted(missing))}",
        properties=properties,
    )
