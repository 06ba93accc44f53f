"""What pulumi-kubernetes waits for when an object's annotation `pulumi.com/waitFor` says so.

Source: pulumi-kubernetes 4.34, provider/pkg/metadata/overrides.go, provider/pkg/await/condition and
provider/pkg/jsonpath.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from sandbox.errors import SandboxError
from sandbox.kubernetes.fields import as_map, listed, mapped
from sandbox.pace import Pace
from sandbox.values import Properties

_CONDITION, _JSONPATH = "condition=", "jsonpath="
_PATH = re.compile(r"\{\s*(.*?)\s*\}(?:=(.+))?", re.DOTALL)


_POLL_SECONDS = 5.0


def wait_until(wait_for: str, look: Callable[[], Properties], pace: Pace, *, seconds: float, timeout: float) -> None:
    """Wait until every expression of the annotation holds.

    Args:
        wait_for: the annotation.
        look: gives the live object.
        pace: the clock.
        seconds: how long the object's controllers take at least.
        timeout: seconds after which to give up.

    Raises:
        SandboxError: the timeout, with what does not hold; or an expression that the provider can't read.
        CancelledError: the wait was ended.
    """
    pace.sleep(min(seconds, timeout))
    waited = seconds
    while (missing := unmet(wait_for, look())) or waited > timeout:
        if waited >= timeout:
            raise SandboxError(f"timed out waiting for the condition: {', '.join(missing) or wait_for}")
        pace.sleep(_POLL_SECONDS)
        waited += _POLL_SECONDS


def unmet(wait_for: str, live: Properties) -> list[str]:
    """The expressions of the annotation that don't hold of an object.

    Raises:
        SandboxError: one is none that the provider reads.
    """
    return [expression for expression in _expressions(wait_for) if not _holds(expression, live)]


def _expressions(wait_for: str) -> list[str]:
    try:
        found = json.loads(wait_for)
    except ValueError:
        return [wait_for]
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        return [wait_for]
    if not found:
        raise SandboxError("at least one condition must be specified")
    return found


def _holds(expression: str, live: Properties) -> bool:
    if expression.startswith(_CONDITION):
        name, _, wanted = expression.removeprefix(_CONDITION).partition("=")
        return _condition(live, name, wanted or "True")
    if expression.startswith(_JSONPATH):
        return _path(live, expression.removeprefix(_JSONPATH))
    raise SandboxError(f'expected a "{_JSONPATH}" or "{_CONDITION}" prefix, got "{expression}"')


def _condition(live: Properties, name: str, wanted: str) -> bool:
    generation = mapped(live, "metadata").get("generation", 0)
    for condition in listed(mapped(live, "status"), "conditions"):
        found = as_map(condition)
        if str(found.get("type")).lower() == name.lower():
            # What was seen before the last change says nothing of it.
            current = found.get("observedGeneration", generation) >= generation
            return current and str(found.get("status")).lower() == wanted.lower()
    return False


def _path(live: Properties, text: str) -> bool:
    import jsonpath  # noqa: PLC0415 - few objects are waited for, and every provider would load it

    parts = _PATH.fullmatch(text)
    if parts is None:
        raise SandboxError(f"{text} should be wrapped in brackets {{ ... }}")
    path, wanted = parts.groups()
    try:
        found = jsonpath.findall(path if path.startswith("$") else f"${path}", live)
    except jsonpath.JSONPathError as error:
        raise SandboxError(f'parsing "{{{path}}}": {error}') from error
    return bool(found) and wanted in (None, str(found[0]))
