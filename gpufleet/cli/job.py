"""`gpufleet job render ENV`: the manifests of a training job for a fabric, to submit with kubectl."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from gpufleet.cli.output import OutputOption, emit, people
from gpufleet.cli.run_options import EnvironmentArgument
from gpufleet.cli.stack_source import StackFileOption, current

app = typer.Typer(no_args_is_help=True)
group = typer.Typer(help="Training jobs: manifests for a fabric's queue.", no_args_is_help=True)
app.add_typer(group, name="job")


@group.callback()
def _group() -> None:
    # With a callback `render` stays a command of its own, though it is the only one.
    pass


class JobFormat(StrEnum):
    """Form of the manifests."""

    YAML = "yaml"
    JSON = "json"


class KindChoice(StrEnum):
    """Kubernetes kind of the job, as `gpufleet.jobs` knows them."""

    TRAINJOB = "trainjob"
    MPIJOB = "mpijob"
    JOB = "job"


class PriorityChoice(StrEnum):
    """Priority among the jobs of a team, as the specification knows them."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


@group.command()
def render(
    environment: EnvironmentArgument,
    command: Annotated[
        list[str] | None, typer.Argument(metavar="[-- COMMAND…]", help="What the job runs, after --.")
    ] = None,
    *,
    name: Annotated[str, typer.Option("--name", help="Name of the job, unique in the team's namespace.")],
    image: Annotated[str, typer.Option("--image", help="Container image with its digest: registry/name@sha256:….")],
    nodes: Annotated[int, typer.Option("--nodes", help="Whole GPU nodes that the job takes.")],
    fabric: Annotated[str | None, typer.Option("--fabric", help="Training fabric, where there are several.")] = None,
    team: Annotated[str | None, typer.Option("--team", help="Team of the queue, where there are several.")] = None,
    pool: Annotated[str | None, typer.Option("--pool", help="GPU pool, where the team can get several.")] = None,
    kind: Annotated[
        KindChoice,
        typer.Option("--kind", help="trainjob for torchrun, mpijob for mpirun, job for one node without either."),
    ] = KindChoice.TRAINJOB,
    resume: Annotated[
        bool, typer.Option("--resume", help="The job starts again from its last checkpoint by itself.")
    ] = False,
    checkpoint_dir: Annotated[
        str | None, typer.Option("--checkpoint-dir", help="Where it writes checkpoints, such as /lustre/runs/llm.")
    ] = None,
    max_restarts: Annotated[
        int,
        typer.Option("--max-restarts", min=0, max=10_000, help="Failures after which it is given up; with --resume."),
    ] = 50,
    priority: Annotated[
        PriorityChoice | None, typer.Option("--priority", help="Priority in the team's queue; the team's unless given.")
    ] = None,
    stack_file: StackFileOption = None,
    form: Annotated[JobFormat, typer.Option("--format", help="Form of the manifests on stdout.")] = JobFormat.YAML,
    output: OutputOption = None,
) -> None:
    """Print the manifests of a training job, in the order in which to submit them.

    gpufleet job render prod --name llm --image ghcr.io/you/train@sha256:… --nodes 16 --resume -- torchrun train.py |
    kubectl apply -f -
    """
    import json

    from gpufleet.jobs.render import render as rendered
    from gpufleet.jobs.request import JobKind, JobRequest
    from gpufleet.spec import load_environment
    from gpufleet.spec.queue import JobPriority

    source = current(environment, stack_file)
    request = JobRequest(
        name=name,
        image=image,
        command=tuple(command or ()),
        nodes=nodes,
        fabric=fabric,
        team=team,
        pool=pool,
        kind=JobKind(kind.value),
        resume=resume,
        checkpoint_directory=checkpoint_dir,
        max_restarts=max_restarts,
        priority=JobPriority(priority.value) if priority else None,
    )
    job = rendered(load_environment(source.file), request)
    if form is JobFormat.YAML:
        emit(job.as_yaml(), output)
    else:
        # Kubernetes' own form of several objects, so that kubectl takes it too.
        emit(json.dumps({"apiVersion": "v1", "kind": "List", "items": list(job.manifests)}, indent=2), output)
    if job.checkpointing is None:
        people().print(
            f"fabric {job.target.fabric.name} declares no workload: nothing tells how often to write a checkpoint",
            style="yellow",
        )
