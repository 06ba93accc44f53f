"""Checks of workloads, disruption budgets and autoscalers; kubernetes_rules.csv says where each looks."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Iterator, Mapping

from sandbox.kubernetes import names
from sandbox.kubernetes.fields import (
    FieldError,
    as_map,
    each,
    forbidden,
    invalid,
    listed,
    mapped,
    present,
    required,
    unsupported,
)
from sandbox.kubernetes.metadata import check_labels
from sandbox.kubernetes.rules.model import coded, is_number, is_zero
from sandbox.kubernetes.rules.pods import check_mounts
from sandbox.values import UNKNOWN, Value, has_unknown


def selects(selector: Value, labels: Mapping[str, Value]) -> bool:
    """Whether a label selector takes these labels; an unknown part takes everything."""
    for key, value in mapped(selector, "matchLabels").items():
        if value is not UNKNOWN and labels.get(key) not in (value, UNKNOWN):
            return False
    for term in listed(selector, "matchExpressions"):
        if has_unknown(term) or not isinstance(term, Mapping):
            continue
        value, listed_values = labels.get(str(term.get("key"))), listed(term, "values")
        fits = {
            "In": value in listed_values or value is UNKNOWN,
            "NotIn": value not in listed_values,
            "Exists": value is not None,
            "DoesNotExist": value is None,
        }
        if not fits.get(str(term.get("operator")), True):
            return False
    return True


@coded
def _selector(path: str, spec: Value) -> Iterator[FieldError]:
    selector, template = mapped(spec, "selector"), mapped(spec, "template")
    if selector.get("matchLabels") is UNKNOWN or (isinstance(spec, Mapping) and spec.get("selector") is UNKNOWN):
        return
    if not present(selector, "matchLabels") and not present(selector, "matchExpressions"):
        yield invalid(f"{path}.selector", selector, "empty selector is invalid for deployment")
        return
    metadata = template.get("metadata")
    labels = mapped(template, "metadata").get("labels")
    if UNKNOWN in (metadata, labels) or (isinstance(spec, Mapping) and spec.get("template") is UNKNOWN):
        return
    if not selects(selector, labels if isinstance(labels, Mapping) else {}):
        yield invalid(f"{path}.template.metadata.labels", labels, "`selector` does not match template `labels`")


@coded
def _label_selector(path: str, selector: Value) -> Iterator[FieldError]:
    yield from check_labels(f"{path}.matchLabels", mapped(selector, "matchLabels"))
    for where, term in each(selector, "matchExpressions[]", path):
        if not isinstance(term, Mapping):
            continue
        key, operator = term.get("key"), term.get("operator")
        wrong = names.qualified(key) if isinstance(key, str) else None
        if wrong:
            yield invalid(f"{where}.key", key, wrong)
        values = term.get("values")
        if operator in {"In", "NotIn"} and not values:
            yield required(f"{where}.values", "must be specified when `operator` is 'In' or 'NotIn'")
        elif operator in {"Exists", "DoesNotExist"} and values:
            yield forbidden(f"{where}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
        elif isinstance(operator, str) and operator not in {"In", "NotIn", "Exists", "DoesNotExist"}:
            yield invalid(f"{where}.operator", operator, "not a valid selector operator")


@coded
def _no_deadline(path: str, _value: Value) -> Iterator[FieldError]:
    yield forbidden(path, "activeDeadlineSeconds in a pod template of this kind is not supported")


@coded
def _strategy(path: str, value: Value) -> Iterator[FieldError]:
    if not isinstance(value, Mapping):
        return
    rolling = value.get("rollingUpdate")
    if value.get("type") == "Recreate" and rolling is not None:
        yield forbidden(f"{path}.rollingUpdate", "may not be specified when strategy `type` is 'Recreate'")
    elif isinstance(rolling, Mapping) and is_zero(rolling.get("maxUnavailable")) and is_zero(rolling.get("maxSurge")):
        yield invalid(
            f"{path}.rollingUpdate.maxUnavailable", rolling["maxUnavailable"], "may not be 0 when `maxSurge` is 0"
        )


@coded
def _daemon_strategy(path: str, value: Value) -> Iterator[FieldError]:
    rolling = mapped(value, "rollingUpdate")
    if not rolling or has_unknown(rolling):
        return
    unavailable, surge = rolling.get("maxUnavailable", 1), rolling.get("maxSurge", 0)
    if not is_zero(unavailable) and not is_zero(surge):
        yield invalid(f"{path}.rollingUpdate.maxSurge", surge, "may not be set when maxUnavailable is non-zero")
    if is_zero(unavailable) and is_zero(surge):
        yield required(f"{path}.rollingUpdate.maxUnavailable", "cannot be 0 when maxSurge is 0")


@coded
def _progress(path: str, spec: Value) -> Iterator[FieldError]:
    deadline, ready = (
        (spec.get("progressDeadlineSeconds"), spec.get("minReadySeconds", 0))
        if isinstance(spec, Mapping)
        else (None, 0)
    )
    if is_number(deadline) and is_number(ready) and deadline <= ready:
        yield invalid(f"{path}.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds")


@coded
def _stateful_mounts(path: str, spec: Value) -> Iterator[FieldError]:
    claims = listed(spec, "volumeClaimTemplates")
    found = {mapped(claim, "metadata").get("name") for claim in claims}
    if isinstance(spec, Mapping) and spec.get("volumeClaimTemplates") is UNKNOWN:
        return
    yield from check_mounts(f"{path}.template.spec", mapped(mapped(spec, "template"), "spec"), found)


@coded
def _job_restart(path: str, spec: Value) -> Iterator[FieldError]:
    pod = mapped(mapped(spec, "template"), "spec")
    policy = pod.get("restartPolicy")
    where = f"{path}.template.spec.restartPolicy"
    if pod and policy in (None, "", "Always"):
        yield required(where, 'valid values: "OnFailure", "Never"')
    if present(spec, "podFailurePolicy") and policy == "OnFailure":
        yield invalid(where, policy, 'only "Never" is supported when podFailurePolicy is specified')


@coded
def _indexed(path: str, spec: Value) -> Iterator[FieldError]:
    if isinstance(spec, Mapping) and spec.get("completionMode") == "Indexed" and spec.get("completions") is None:
        yield required(f"{path}.completions", "when completion mode is Indexed")


@coded
def _no_selector(path: str, spec: Value) -> Iterator[FieldError]:
    if mapped(spec, "selector") and isinstance(spec, Mapping) and spec.get("manualSelector") is not True:
        yield invalid(f"{path}.selector", spec["selector"], "`selector` not auto-generated")


_CRON_FIELD = re.compile(
    r"(\*|[0-9A-Za-z]+(-[0-9A-Za-z]+)?)(/[0-9]+)?(,(\*|[0-9A-Za-z]+(-[0-9A-Za-z]+)?)(/[0-9]+)?)*|\?"
)
_CRON_RANGES = (("minute", 0, 59), ("hour", 0, 23), ("day of month", 1, 31), ("month", 1, 12), ("day of week", 0, 6))
_CRON_DESCRIPTORS = frozenset({"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"})


@coded
def _schedule(path: str, value: Value) -> Iterator[FieldError]:
    """The cron format of github.com/robfig/cron v3, ParseStandard."""
    if not isinstance(value, str) or value in _CRON_DESCRIPTORS:
        return
    if "TZ" in value:
        yield invalid(path, value, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead")
        return
    if re.fullmatch(r"@every (\d+(\.\d+)?(h|m|s|ms))+", value):
        return
    parts = value.split()
    if len(parts) != len(_CRON_RANGES):
        yield invalid(path, value, f"expected exactly 5 fields, found {len(parts)}: {parts}")
        return
    for part, (name, low, high) in zip(parts, _CRON_RANGES, strict=True):
        numbers = [int(number) for number in re.findall(r"(?<![/\d])\d+", part)]
        if not _CRON_FIELD.fullmatch(part) or any(not low <= number <= high for number in numbers):
            yield invalid(path, value, f"{name} '{part}' is not in the range {low} to {high}")


@coded
def _time_zone(path: str, value: Value) -> Iterator[FieldError]:
    if not isinstance(value, str):
        return
    if value.lower() == "local":
        yield invalid(
            path, value, "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"
        )
    elif value not in zoneinfo.available_timezones():
        yield invalid(path, value, f"unknown time zone {value}")


@coded
def _budget(path: str, spec: Value) -> Iterator[FieldError]:
    bounds = [as_map(spec).get(name) for name in ("minAvailable", "maxUnavailable")]
    if all(bound not in (None, UNKNOWN) for bound in bounds):
        yield invalid(path, spec, "minAvailable and maxUnavailable cannot be both set")


@coded
def _replica_range(path: str, spec: Value) -> Iterator[FieldError]:
    low, high = (spec.get("minReplicas", 1), spec.get("maxReplicas")) if isinstance(spec, Mapping) else (1, None)
    if is_number(high) and high < 1:
        yield invalid(f"{path}.maxReplicas", high, "must be greater than 0")
    elif is_number(low) and is_number(high) and high < low:
        yield invalid(f"{path}.maxReplicas", high, "must be greater than or equal to `minReplicas`")


_METRICS = {
    "ContainerResource": "containerResource",
    "External": "external",
    "Object": "object",
    "Pods": "pods",
    "Resource": "resource",
}
_TARGETS = {"Utilization": "averageUtilization", "Value": "value", "AverageValue": "averageValue"}


@coded
def _metric(path: str, metric: Value) -> Iterator[FieldError]:
    kind = metric.get("type") if isinstance(metric, Mapping) else None
    if not isinstance(kind, str):
        return
    if kind not in _METRICS:
        yield unsupported(f"{path}.type", kind, _METRICS)
        return
    if metric.get(_METRICS[kind]) is None:
        yield required(f"{path}.{_METRICS[kind]}", f"must populate information for the given metric source ({kind})")
    for name in _METRICS.values():
        if name != _METRICS[kind] and metric.get(name) is not None:
            yield forbidden(f"{path}.{name}", "must populate the given metric source only")


@coded
def _target(path: str, target: Value) -> Iterator[FieldError]:
    kind = target.get("type") if isinstance(target, Mapping) else None
    if not isinstance(kind, str):
        return
    if kind not in _TARGETS:
        yield invalid(f"{path}.type", kind, "must be either Utilization, Value, or AverageValue")
    elif target.get(_TARGETS[kind]) is None:
        yield required(f"{path}.{_TARGETS[kind]}", f"must be set for target type {kind}")


@coded
def _labels(path: str, value: Value) -> Iterator[FieldError]:
    yield from check_labels(path, as_map(value))
