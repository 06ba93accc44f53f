"""`gpufleet sandbox jobs`: training jobs in the sandbox's clusters, as Kueue would have admitted them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from gpufleet.cli.output import Format, FormatOption, OutputOption, emit, emit_json, people
from gpufleet.cli.run_options import EnvironmentArgument
from gpufleet.cli.sandbox_items import open_cloud, refusals
from gpufleet.cli.table import aligned
from gpufleet.errors import ConfigurationError
from gpufleet.plural import plural

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.jobs import SandboxJob
    from sandbox.store import Store

app = typer.Typer(no_args_is_help=True)
group = typer.Typer(help="Training jobs, as the queue would have admitted them.", no_args_is_help=True)
app.add_typer(group, name="jobs")

FabricOption = Annotated[str, typer.Option("--fabric", "-f", metavar="FABRIC", help="Training fabric.")]


@group.command()
def add(
    environment: EnvironmentArgument,
    *,
    fabric: FabricOption,
    pool: Annotated[str, typer.Option("--pool", help="Its pool, by the name in the stack file.")],
    nodes: Annotated[int, typer.Option("--nodes", min=1, help="Nodes that it holds, all in one agent pool.")],
    name: Annotated[str, typer.Option("--name", help="Name of the job.")] = "train",
    team: Annotated[str, typer.Option("--team", help="The team's queue.")] = "default",
    agent_pool: Annotated[
        str, typer.Option("--agent-pool", help="AKS name; unless given, the first with enough free nodes.")
    ] = "",
) -> None:
    """Let a job run: `up` then refuses to take its nodes away."""
    from sandbox import jobs

    clusters = _clusters(environment)
    store = open_cloud()
    if store is None or fabric not in clusters:
        there = ", ".join(sorted(clusters)) or "nothing"
        raise ConfigurationError(
            f"{environment} has no cluster for '{fabric}' in the sandbox: {there} is there",
            hint=f"gpufleet up {environment} --sandbox makes what the stack file says.",
        )
    with refusals():
        job = jobs.add(store, clusters[fabric], name=name, team=team, pool=pool, nodes=nodes, agent_pool=agent_pool)
    people().print(f"{job.namespace}/{job.name} holds {plural(nodes, 'node')}: {', '.join(job.nodes)}", markup=False)


@group.command("list")
def list_jobs(
    environment: EnvironmentArgument, *, form: FormatOption = Format.TEXT, output: OutputOption = None
) -> None:
    """List the jobs of an environment's clusters."""
    found = _found(environment)
    if form is Format.JSON:
        body = [
            {"fabric": fabric, "name": f"{job.namespace}/{job.name}", "team": job.queue, "nodes": list(job.nodes)}
            for fabric, job in found
        ]
        emit_json("sandboxJobs", {"jobs": body}, output)
        return
    if found:
        rows = [(fabric, f"{job.namespace}/{job.name}", job.queue, str(len(job.nodes))) for fabric, job in found]
        emit(aligned([("FABRIC", "JOB", "TEAM", "NODES"), *rows]), output)
    people().print(f"{plural(len(found), 'job')} in {environment}", markup=False)


@group.command()
def remove(
    environment: EnvironmentArgument,
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Name of the job.")] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
) -> None:
    """Let a job end."""
    from sandbox import jobs

    if (name is None) != everything:
        raise ConfigurationError("name the job to remove, or give --all")
    store = open_cloud()
    wanted = [job for _, job in _found(environment) if everything or job.name == name]
    if not wanted and not everything:
        raise ConfigurationError(
            f"{environment} has no job '{name}'", hint=f"`gpufleet sandbox jobs list {environment}` shows them."
        )
    with refusals():
        for job in wanted:
            assert store is not None
            jobs.remove(store, job)
    people().print(f"{plural(len(wanted), 'job')} removed", markup=False)


def _found(environment: str) -> list[tuple[str, SandboxJob]]:
    from sandbox import jobs

    store: Store | None = open_cloud()
    if store is None:
        return []
    return [
        (fabric, job)
        for fabric, cluster in sorted(_clusters(environment).items())
        for job in jobs.listed(store, cluster)
    ]


def _clusters(environment: str) -> Mapping[str, str]:
    """ARM ids of the environment's clusters in the sandbox, by fabric or region."""
    from gpufleet.cli.running_jobs import clusters_of
    from gpufleet.engine.project import ROOT
    from gpufleet.engine.stack import EnvironmentStack

    return clusters_of(EnvironmentStack(environment, root=ROOT, sandbox=True).export())
