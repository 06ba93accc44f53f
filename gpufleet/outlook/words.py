"""The outlook in rows and sentences, alike in every form of a report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from gpufleet.outlook.absorb import Minutes
from gpufleet.outlook.day import Hour
from gpufleet.outlook.outlook import Outlook
from gpufleet.outlook.region_loss import Loss, ModelLeft, Moved
from gpufleet.plural import plural
from gpufleet.spec.base import Priority

LOSS_HEAD: Final = (
    *("lost", "regular nodes", "all nodes", "at once", "the rest in", "USD/h more"),
    *("USD/month more", "quota", "latency"),
)
MODEL_HEAD: Final = (
    *("lost", "model", "demand", "regular nodes give", "all nodes give"),
    *("unmet, regular nodes", "unmet, all nodes", "worst hour (UTC)", "short in"),
)
MOVED_HEAD: Final = ("lost", "users near", "answered from", "then from", "ms", "ms then", "ceiling")
DAY_HEAD: Final = ("hour (UTC)", "asked for", "served", "unmet", "regular nodes", "spot nodes", "GPU-hours", "USD")
QUOTA_HEAD: Final = ("lost", "region", "family", "vCPUs", "quota")
ALL_SPOT: Final = "all spot nodes"
UNKNOWN: Final = "not known"


def lost(loss: Loss) -> str:
    """What is lost, in words."""
    return loss.region or ALL_SPOT


def loss_rows(found: Outlook) -> Iterator[tuple[str, ...]]:
    """One line for each state."""
    for loss in found.losses:
        yield (
            lost(loss),
            _enough([(model.unmet_regular, model) for model in loss.models]),
            _enough([(model.unmet, model) for model in loss.models]) if loss.region else "-",
            f"{100 * loss.at_once:.0f} %",
            minutes(loss.minutes),
            *("no price" if usd is None else f"{usd:,.2f}" for usd in (loss.usd_per_hour, loss.usd_per_month)),
            {True: "enough", False: "TOO SMALL", None: UNKNOWN}[loss.quota_enough],
            _farther(loss),
        )


def model_rows(found: Outlook) -> Iterator[tuple[str, ...]]:
    """Every model in each state, in tokens a second."""
    for loss in found.losses:
        for model in loss.models:
            yield (
                lost(loss),
                model.model,
                *(f"{one:,.0f}" for one in (model.demand, model.regular, model.all_nodes)),
                *(f"{one:,.0f}" for one in (model.unmet_regular, model.unmet)),
                "-" if model.worst_hour is None else f"{model.worst_hour:02}",
                ", ".join(model.short_in) or "-",
            )


def moved_rows(found: Outlook) -> Iterator[tuple[str, ...]]:
    """Every place in each state of a lost region."""
    for loss in found.losses:
        for one in loss.moved if loss.region else ():
            yield (
                lost(loss),
                one.origin,
                ", ".join(one.before),
                ", ".join(one.after),
                _ms(one.rtt_before),
                _ms(one.rtt_after),
                _ceiling(one),
            )


def day_rows(found: Outlook) -> Iterator[tuple[str, ...]]:
    """Every hour, in tokens a second and nodes."""
    for hour in found.day.hours:
        yield (
            f"{hour.hour:02}",
            f"{asked(hour):,.0f}",
            f"{hour.served:,.0f}",
            f"{unmet(hour):,.0f}",
            f"{hour.nodes(Priority.REGULAR):,}",
            f"{hour.nodes(Priority.SPOT):,}",
            f"{hour.gpus.normalize():,f}",
            f"{hour.usd:,.2f}",
        )


def quota_rows(found: Outlook) -> Iterator[tuple[str, ...]]:
    """Every quota that a state takes something of; what is too small is marked."""
    for loss in found.losses:
        for need in loss.quota:
            limit = UNKNOWN if need.quota is None else f"{need.quota:,.0f}"
            small = " TOO SMALL" if need.enough is False else ""
            yield lost(loss), need.region, need.family, f"{need.vcpus:,}", f"{limit}{small}"


def asked(hour: Hour) -> float:
    """Tokens a second of all models that are asked for."""
    return sum(hour.demand.values())


def unmet(hour: Hour) -> float:
    """Of these, what nothing answers."""
    return sum(hour.unmet.values())


def day_line(found: Outlook) -> str:
    """The day in one sentence."""
    day = found.day
    share = 100 * day.unmet_tokens / day.demand_tokens if day.demand_tokens else 0.0
    missing = f"{day.unmet_tokens / 1e6:,.1f} million unmet ({share:.1f} %)" if day.unmet_tokens else "all of them met"
    return (
        f"A day: {day.demand_tokens / 1e6:,.0f} million output tokens, {missing}; "
        f"{_whole(day.gpu_hours)} GPU-hours, ${day.usd:,.2f} of GPU nodes"
    )


def remarks(found: Outlook) -> list[str]:
    """What the figures rest on, and what is not known."""
    lines = []
    if hours := [hour for hour in found.day.hours if unmet(hour)]:
        worst = max(hours, key=unmet)
        lines.append(
            f"With everything up {plural(len(hours), 'hour')} of the day {'has' if len(hours) == 1 else 'have'} more "
            f"demand than servers; at worst {unmet(worst):,.0f} tokens/s at {worst.hour:02}:00 UTC"
        )
    lines += [*_overflows(found), *_absent(found), *_unserved(found)]
    if not found.fleet.inference.demand:
        lines.append("Where users are is not declared (inference.demand): regions share them by weight")
    if found.fleet.unplanned:
        names = ", ".join(f"{model} ({form})" for model, form in found.fleet.unplanned)
        lines.append(f"No servers can be planned, so all of it is unmet: {names}")
    if found.unknown_latencies:
        names = ", ".join(found.unknown_latencies)
        lines.append(f"Round trips not known of {plural(len(found.unknown_latencies), 'place')}: {names}")
    if found.unknown_quotas:
        number = plural(found.unknown_quotas, "quota")
        lines.append(f"Not known: {number} (gpufleet outlook --quota REGION:FAMILY=VCPUS)")
    lines += [f"Not priced: {one}" for one in found.day.unpriced]
    return lines


def _overflows(found: Outlook) -> Iterator[str]:
    """Where the sum is enough and a region is not: nobody hands its requests on."""
    unplanned = {model for model, _ in found.fleet.unplanned}
    for loss in found.losses:
        for model in loss.models:
            if model.unmet_regular and model.regular >= model.demand and model.model not in unplanned:
                yield (
                    f"With {lost(loss)} lost the regular nodes that are left give {model.model} enough together, but "
                    f"not in {', '.join(model.short_in)}: Front Door doesn't know of load"
                )


def _absent(found: Outlook) -> Iterator[str]:
    """Forms that a region is asked for and has no room for, while others have."""
    fleet = found.fleet
    present = {(one.region, one.model, one.form) for one in fleet.servers if one.regular_replicas + one.spot_replicas}
    asked_for = {key for hour in found.day.hours for key, tokens in hour.demand.items() if tokens}
    for (model, form), share in fleet.forms.items():
        places = [
            region for region in fleet.regions if (region, model) in asked_for and (region, model, form) not in present
        ]
        if share and places and (model, form) not in fleet.unplanned:
            yield f"No servers of {model} ({form}) in {', '.join(places)}: its part of the demand there is unmet"


def _unserved(found: Outlook) -> Iterator[str]:
    """That the whole platform is a plan; where something is served already, the check of the file names what isn't."""
    models = found.fleet.inference.models
    if not any(form.model.is_served for model in models for form in model.forms):
        one = len(models) == 1
        yield (
            f"{', '.join(model.name for model in models)} {'has' if one else 'have'} no weights: "
            f"{'it is' if one else 'they are'} planned and priced, and nothing serves {'it' if one else 'them'}"
        )


def minutes(found: Minutes | None) -> str:
    """`7 to 22 min`; `-` when nothing is missing."""
    return "-" if found is None else f"{found.least:.0f} to {found.most:.0f} min"


def _enough(models: Sequence[tuple[float, ModelLeft]]) -> str:
    short = [(missing / model.demand if model.demand else 0.0, model.model) for missing, model in models if missing]
    if not short:
        return "enough"
    share, name = max(short)
    return f"{100 * share:.1f} % short" + (f" ({name})" if len(models) > 1 else "")


def _farther(loss: Loss) -> str:
    """The largest increase; what is broken or not known first."""
    if not loss.region or not loss.moved:
        return "-"
    if broken := [one.origin for one in loss.moved if one.broken]:
        return f"ceiling broken: {', '.join(broken)}"
    known = [
        one.rtt_after - one.rtt_before for one in loss.moved if one.rtt_after is not None and one.rtt_before is not None
    ]
    if not known:
        return UNKNOWN
    worst = max(known)
    gaps = "" if len(known) == len(loss.moved) else f", {len(loss.moved) - len(known)} {UNKNOWN}"
    return f"{worst:+.0f} ms at most{gaps}" if worst else f"the same{gaps}"


def _ms(rtt: float | None) -> str:
    return UNKNOWN if rtt is None else f"{rtt:,.0f}"


def _ceiling(one: Moved) -> str:
    if one.ceiling is None:
        return "none"
    said = {True: "BROKEN", False: "kept", None: UNKNOWN}[one.broken]
    return f"{one.ceiling:,g}: {said}"


def _whole(number: Decimal) -> str:
    return f"{number.quantize(Decimal(1)):,}"
