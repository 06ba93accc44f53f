"""The servers of one form of one model in one region, whatever runs them."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components.region_serving import RegionServing
from gpufleet.sizing.serving_plan import ServerPlan


@dataclass(frozen=True, kw_only=True)
class ModelServerArgs:
    """Arguments of ModelServer."""

    serving: RegionServing
    plan: ServerPlan


class ModelServer(pulumi.ComponentResource):
    """Servers of one plan, under `plan.name`, with a Service of that name."""

    ready: pulumi.Resource
    """What routes and autoscalers of these servers depend on."""

    def __init__(self, name: str, args: ModelServerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpufleet:inference:ModelServer", name, {}, opts)
        self.plan = args.plan
        self.ready = self
        self.register_outputs({})
