"""The environment as a roll-out changes it: the real engine, on what is deployed with other models."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gpufleet.rollout.release import models_in, with_models

if TYPE_CHECKING:
    from gpufleet.cli.rollout_regions import Source
    from gpufleet.cli.run import Run
    from gpufleet.graph import Graph
    from gpufleet.rollout.driver import Clock
    from gpufleet.rollout.regions import Change
    from gpufleet.rollout.release import Models
    from gpufleet.spec import Environment

_LOOK_SECONDS = 15.0
_PATIENCE_SECONDS = 3 * 3600.0
"""The longest drain and start of a region's servers one after the other; the engine waits for Deployments itself."""


class WallClock:
    """The real time; in the sandbox a bake goes as fast as the rest of its time (GPUFLEET_SANDBOX_TIME_SCALE).

    Args:
        scale: seconds of the wall clock for a second of the roll-out's; 1 on Azure.
    """

    def __init__(self, scale: float = 1.0) -> None:
        self._scale = scale
        self._ahead = dt.timedelta()

    def now(self) -> dt.datetime:
        """The time, ahead of the wall clock's by what was not waited for."""
        return dt.datetime.now(tz=dt.UTC) + self._ahead

    def sleep(self, seconds: float) -> None:
        """Wait, or, where time goes faster, a part of it."""
        time.sleep(seconds * self._scale)
        self._ahead += dt.timedelta(seconds=seconds * (1 - self._scale))


@dataclass(kw_only=True)
class EnginePlatform:
    """See `gpufleet.rollout.driver.Platform`.

    Attributes:
        specification: what is deployed, as the state records it.
        source: what is asked of regions.
    """

    run: Run
    specification: Mapping[str, object]
    source: Source
    clock: Clock
    login_server: str

    @property
    def previous(self) -> Models:
        """The models that are deployed."""
        return models_in(self.specification)

    def pending(self, models: Models) -> Mapping[str, Sequence[str]]:
        """What a preview says would change."""
        from gpufleet.rollout.regions import by_region

        before = self._graph()
        run = self.run
        with self._with(models):
            run.phase("Comparing", run.stack.preview, run.request.options, tree=False)
        return by_region(planned(run), before)

    def apply(self, models: Models, urns: Sequence[str], *, title: str) -> None:
        """An update of these resources alone."""
        run = self.run
        options = replace(run.request.options, targets=tuple(urns), target_dependents=False, message=title)
        with self._with(models):
            run.phase(title, run.stack.up, options, tree=True)

    def await_servers(self, region: str) -> None:
        """Ask the cluster until all its servers are through."""
        from gpufleet.errors import ExitCode, GpufleetError

        class LateError(GpufleetError):
            exit_code = ExitCode.TIMEOUT

        until = self.clock.now() + dt.timedelta(seconds=_PATIENCE_SECONDS)
        while behind := list(self.source.servers_behind(region)):
            if self.clock.now() >= until:
                raise LateError(f"servers of {region} are not through: {'; '.join(behind)}")
            self.clock.sleep(_LOOK_SECONDS)

    def not_ready(self, region: str, models: Models) -> Sequence[str]:
        """What stands against the release in a region."""
        from gpufleet.cli.rollout_regions import RegionView
        from gpufleet.rollout.readiness import problems
        from gpufleet.rollout.release import changes, digests_of

        environment = self.environment(models)
        images, weights = digests_of(environment, [change.model for change in changes(self.previous, models)])
        view = RegionView(name=region, source=self.source, environment=environment)
        return list(problems(view, images=images, weights=weights, login_server=self.login_server))

    def environment(self, models: Models) -> Environment:
        """What is deployed, with these models.

        Raises:
            SpecError: the two don't go together, such as a model that no deployed pool holds.
        """
        from gpufleet.spec import parse_environment

        return parse_environment(with_models(self.specification, models))

    def _graph(self) -> Graph:
        from gpufleet.graph.state import read

        return read(self.run.stack.export())

    @contextmanager
    def _with(self, models: Models) -> Iterator[None]:
        """Inside, the engine reads what is deployed, with these models, as the stack file's environment."""
        with self.run.stack.frozen(edited(with_models(self.specification, models))):
            yield


def planned(run: Run) -> list[Change]:
    """What the preview that the run has just made says of each resource."""
    from gpufleet.rollout.regions import Change

    assert run.result is not None
    return [
        Change(urn=step.resource.urn, type=step.resource.type, parent=step.resource.parent, op=step.op)
        for step in run.result.steps
    ]


def edited(specification: Mapping[str, object]) -> Callable[[str], str]:
    """An edit that puts a specification in the place of a stack file's own; the rest of the file stays.

    The result is JSON, which is YAML that nobody reads two ways.
    """

    def edit(text: str) -> str:
        import yaml

        from gpufleet.spec.stack_file import ENVIRONMENT_KEY

        document = yaml.safe_load(text)
        document["config"][ENVIRONMENT_KEY] = specification
        return json.dumps(document, indent=1, default=str) + "\n"

    return edit
