"""`gpufleet sandbox`: its commands, each family in a file of its own beside this one."""

from __future__ import annotations

import typer

from gpufleet.cli import sandbox_events, sandbox_fail, sandbox_items, sandbox_jobs, sandbox_set

app = typer.Typer(no_args_is_help=True)
group = typer.Typer(help="The sandbox: an Azure and a Kubernetes without a cloud.", no_args_is_help=True)
app.add_typer(group, name="sandbox")
group.add_typer(sandbox_items.app)
group.add_typer(sandbox_fail.app)
group.add_typer(sandbox_events.app)
group.add_typer(sandbox_set.app)
group.add_typer(sandbox_jobs.app)
