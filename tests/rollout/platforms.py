"""An environment of two or three regions and a clock, for the roll-out to work with."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from gpufleet.errors import GpufleetError
from gpufleet.rollout.driver import Driver
from gpufleet.rollout.journal import Journal, RegionRecord
from gpufleet.rollout.regions import NOWHERE
from gpufleet.rollout.release import Models
from gpufleet.rollout.watch import Signals

BEGAN = dt.datetime(2026, 11, 21, 8, 0, tzinfo=dt.UTC)
OLD: list[dict[str, object]] = [{"name": "chat", "image": "old"}]
NEW: list[dict[str, object]] = [{"name": "chat", "image": "new"}]
GOOD = Signals(requests_per_second=10, error_percent=0.1, ttft_ms=200)


def journal(*regions: str, bake: float = 30) -> Journal:
    return Journal(
        environment="prod",
        sandbox=True,
        began=BEGAN,
        previous=OLD,
        release=NEW,
        bake_minutes=bake,
        max_error_percent=1,
        max_latency_increase_percent=50,
        regions=[RegionRecord(name=name) for name in regions],
    )


@dataclass
class ManualTime:
    """A clock that goes when somebody sleeps; `at` runs once its moment has come."""

    seconds: float = 0
    at: dict[float, Callable[[], None]] = field(default_factory=dict)

    def now(self) -> dt.datetime:
        return BEGAN + dt.timedelta(seconds=self.seconds)

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        for moment in [moment for moment in self.at if moment <= self.seconds]:
            self.at.pop(moment)()


class KilledError(BaseException):
    """The process dies here."""


@dataclass
class FakePlatform:
    """Regions that run an image each; what nobody's region is, the environment's record, follows at the end."""

    runs: dict[str, str]
    recorded: str = "old"
    reasons: dict[str, Sequence[str]] = field(default_factory=dict)
    fails: dict[tuple[str, str], GpufleetError] = field(default_factory=dict)
    dies_in: str | None = None
    done: list[str] = field(default_factory=list)

    def pending(self, models: Models) -> Mapping[str, Sequence[str]]:
        image = str(models[0]["image"])
        found = {region: [f"urn:{region}"] for region, runs in self.runs.items() if runs != image}
        return found | ({NOWHERE: ["urn:"]} if self.recorded != image else {})

    def apply(self, models: Models, urns: Sequence[str], *, title: str) -> None:
        del title
        image = str(models[0]["image"])
        for urn in urns:
            region = urn.removeprefix("urn:")
            if (region, image) in self.fails:
                self.runs[region] = "half"
                raise self.fails[region, image]
            if region == self.dies_in:
                self.runs[region] = "half"
                raise KilledError
            if region:
                self.runs[region] = image
            else:
                self.recorded = image
            self.done.append(f"{region or 'record'}={image}")

    def await_servers(self, region: str) -> None:
        self.done.append(f"{region} awaited")

    def not_ready(self, region: str, models: Models) -> Sequence[str]:
        del models
        return self.reasons.get(region, ())


@dataclass
class FakeWatch:
    """What each region's monitoring says, or that it says nothing."""

    says: dict[str, Signals | GpufleetError] = field(default_factory=dict)
    looked: list[str] = field(default_factory=list)

    def signals(self, region: str) -> Signals:
        self.looked.append(region)
        said = self.says.get(region, GOOD)
        if isinstance(said, GpufleetError):
            raise said
        return said


@dataclass
class Scene:
    """A roll-out's surroundings, and what it left."""

    platform: FakePlatform
    watch: FakeWatch = field(default_factory=FakeWatch)
    clock: ManualTime = field(default_factory=ManualTime)
    kept: list[Journal] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    @property
    def driver(self) -> Driver:
        return Driver(
            platform=self.platform, watch=self.watch, clock=self.clock, save=self.kept.append, say=self.said.append
        )

    def stages(self) -> dict[str, str]:
        return {record.name: record.stage.value for record in self.kept[-1].regions}
