"""`gpufleet schema`: the JSON Schema of a stack file, for editors."""

from __future__ import annotations

import typer

from gpufleet.cli.output import OutputOption, emit

app = typer.Typer()


@app.command()
def schema(output: OutputOption = None) -> None:
    """Print the JSON Schema of stacks/Pulumi.<env>.yaml.

    Editors with a YAML language server use it by the first line of the stack files: they complete keys, show what each
    means, and mark unknown ones.
    """
    import json

    from gpufleet.spec.json_schema import stack_file_schema

    emit(json.dumps(stack_file_schema(), indent=2), output)
