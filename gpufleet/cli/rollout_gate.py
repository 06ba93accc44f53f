"""What a plain `up` says when it would change model servers of several regions at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from gpufleet.errors import ExitCode, GpufleetError
from gpufleet.plural import plural

if TYPE_CHECKING:
    from gpufleet.cli.run import Run
    from gpufleet.engine.doubts import State
    from gpufleet.spec import Environment

AllRegionsOption = Annotated[
    bool,
    typer.Option(
        "--all-regions",
        help="Change the model servers of several regions at once in production; see gpufleet rollout.",
    ),
]


class ManyRegionsError(GpufleetError):
    """A mistake in the release would reach every region at once."""

    exit_code = ExitCode.UNEXPECTED_CHANGES


@dataclass(frozen=True, kw_only=True)
class ServerOutlook:
    """Model servers that run and that a run would change.

    Attributes:
        servers: their names by region; of no more than one region when there is nothing to say.
    """

    servers: Mapping[str, Sequence[str]]

    @property
    def many(self) -> bool:
        """Whether more than one region is touched."""
        return len(self.servers) > 1

    def lines(self) -> list[Text]:
        """For people, [] when there is nothing to say."""
        if not self.many:
            return []
        said = [Text(f"model servers: changed in {plural(len(self.servers), 'region')} at once", "yellow")]
        said += [Text(f"  {region}: {', '.join(names)}") for region, names in self.servers.items()]
        return [*said, Text()]

    def require(self, run: Run, environment: Environment, *, all_regions: bool) -> None:
        """Go on only when a single region is touched, outside production, or when told to.

        Raises:
            ManyRegionsError: see above.
        """
        from gpufleet.spec.environment import EnvironmentClass

        if all_regions or not self.many or environment.environment_class is not EnvironmentClass.PRODUCTION:
            return
        name, flag = run.request.environment, " --sandbox" if run.request.sandbox else ""
        listed = "; ".join(f"{region}: {', '.join(names)}" for region, names in self.servers.items())
        raise ManyRegionsError(
            f"{run.request.place}: this changes the model servers of {plural(len(self.servers), 'region')} at once, so "
            f"nothing was changed: {listed}",
            hint=f"gpufleet rollout start {name}{flag} goes region by region, watches each, and goes back by itself. "
            "--all-regions does it all at once.",
        )


def of_preview(run: Run, state: State) -> ServerOutlook:
    """What the preview that the run has just made does to servers that run."""
    from gpufleet.cli.rollout_platform import planned
    from gpufleet.graph.state import read
    from gpufleet.rollout.regions import touched

    if not state["deployment"].get("resources"):
        return ServerOutlook(servers={})
    return ServerOutlook(servers=touched(planned(run), read(state)))


def of_models(environment: Environment, state: State) -> ServerOutlook:
    """The same without a preview: when the models differ from those that are deployed, all servers are touched."""
    from gpufleet.graph.state import read
    from gpufleet.rollout.regions import server_name, servers_of
    from gpufleet.rollout.release import deployed, models_in, models_of

    if not state["deployment"].get("resources"):
        return ServerOutlook(servers={})
    graph = read(state)
    recorded = deployed(graph)
    if recorded is None or list(models_in(recorded)) == list(models_of(environment)):
        return ServerOutlook(servers={})
    found: dict[str, list[str]] = {}
    for urn, region in servers_of(graph).items():
        found.setdefault(region, []).append(server_name(graph.node(urn)))
    return ServerOutlook(servers=found)
