"""The outlook as a part of JSON documents (docs/schemas/check.v1.json). Money is text."""

from __future__ import annotations

from collections.abc import Iterable

from gpufleet.cost.token_cost import TokenCost, as_dict
from gpufleet.outlook.day import Hour
from gpufleet.outlook.outlook import Outlook
from gpufleet.outlook.region_loss import Loss
from gpufleet.outlook.words import asked, unmet
from gpufleet.spec.base import Priority


def document(found: Outlook, tokens: Iterable[TokenCost] = ()) -> dict[str, object]:
    """The day, the losses and what tokens cost, in camelCase."""
    day = found.day
    return {
        "day": {
            "demandTokens": day.demand_tokens,
            "unmetTokens": day.unmet_tokens,
            "gpuHours": f"{day.gpu_hours.normalize():f}",
            "usd": f"{day.usd:f}",
            "unpriced": list(day.unpriced),
            "hours": [_hour(hour) for hour in day.hours],
        },
        "losses": [_loss(loss) for loss in found.losses],
        "unplanned": [{"model": model, "form": form} for model, form in found.fleet.unplanned],
        "unknownLatencies": list(found.unknown_latencies),
        "unknownQuotas": found.unknown_quotas,
        "tokenCosts": [as_dict(one) for one in tokens],
    }


def _hour(hour: Hour) -> dict[str, object]:
    return {
        "hour": hour.hour,
        "demandTokensPerSecond": asked(hour),
        "servedTokensPerSecond": hour.served,
        "unmetTokensPerSecond": unmet(hour),
        "regularNodes": hour.nodes(Priority.REGULAR),
        "spotNodes": hour.nodes(Priority.SPOT),
        "gpus": f"{hour.gpus.normalize():f}",
        "usd": f"{hour.usd:f}",
    }


def _loss(loss: Loss) -> dict[str, object]:
    return {
        "region": loss.region or None,
        "enoughRegular": loss.enough_regular,
        "enough": loss.enough,
        "quotaEnough": loss.quota_enough,
        "servedAtOnce": loss.at_once,
        "minutes": None if loss.minutes is None else {"least": loss.minutes.least, "most": loss.minutes.most},
        "hourlyUsd": None if loss.usd_per_hour is None else f"{loss.usd_per_hour:f}",
        "monthlyUsd": None if loss.usd_per_month is None else f"{loss.usd_per_month:f}",
        "unmetTokensPerSecondByHour": list(loss.unmet_by_hour),
        "models": [
            {
                "model": model.model,
                "demandTokensPerSecond": model.demand,
                "regularTokensPerSecond": model.regular,
                "allNodesTokensPerSecond": model.all_nodes,
                "unmetRegularTokensPerSecond": model.unmet_regular,
                "unmetTokensPerSecond": model.unmet,
                "worstHour": model.worst_hour,
                "shortIn": list(model.short_in),
            }
            for model in loss.models
        ],
        "latency": [
            {
                "origin": one.origin,
                "before": list(one.before),
                "after": list(one.after),
                "rttMsBefore": one.rtt_before,
                "rttMsAfter": one.rtt_after,
                "ceilingMs": one.ceiling,
                "broken": one.broken,
            }
            for one in loss.moved
        ],
        "quota": [
            {"region": need.region, "family": need.family, "vcpus": need.vcpus, "quota": need.quota}
            for need in loss.quota
        ],
    }
