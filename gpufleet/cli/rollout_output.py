"""What a roll-out says: what it will do, where it stands, and what the stack file still asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpufleet.cli.output import Format, emit, emit_json, people
from gpufleet.cli.table import aligned

if TYPE_CHECKING:
    from pathlib import Path

    from gpufleet.cli.rollout_platform import EnginePlatform
    from gpufleet.cli.run import Run
    from gpufleet.rollout.journal import Journal


def tell(run: Run, going: Journal) -> None:
    """What is about to happen."""
    from rich.text import Text

    from gpufleet.rollout.journal import Stage
    from gpufleet.rollout.release import changes

    todo = [one.name for one in going.regions if one.stage is not Stage.DONE]
    lines = [Text(f"Release for {run.request.place}", "bold")]
    lines += [Text(f"  {change}") for change in changes(going.previous, going.release)]
    lines.append(Text(f"  regions: {', '.join(todo)}, each watched for {going.bake_minutes:g} minutes"))
    run.tell([*lines, Text()])


def require_ready(platform: EnginePlatform, going: Journal) -> None:
    """Say of each region whether it could take the release now.

    Raises:
        NotReadyError: one could not.
    """
    from gpufleet.rollout.readiness import NotReadyError

    against: list[str] = []
    for record in going.regions:
        reasons = platform.not_ready(record.name, going.release)
        people().print(f"{record.name}: {'; '.join(reasons) or 'ready'}", markup=False)
        against += [f"  {record.name}: {reason}" for reason in reasons]
    if against:
        raise NotReadyError("\n".join(["regions are not ready:", *against]))


def name_stack_file(run: Run, found: Journal, *, write: bool) -> None:
    """The stack file names the release that was taken back: say so, or put the previous models into it."""
    from gpufleet.engine.project import stack_file
    from gpufleet.rollout.stack_edit import back_edits
    from gpufleet.sizing.patch import patched
    from gpufleet.spec import StackFile

    path = stack_file(run.root, run.request.environment)
    name = str(path.relative_to(run.root))
    text = path.read_text(encoding="utf-8")
    edits, by_hand = back_edits(StackFile.from_text(text, name=name).environment, found.previous, found.release)
    if not edits and not by_hand:
        return
    if write and not by_hand:
        emit(patched(text, edits, name=name), path)
        people().print(f"{name}: has the previous models again", markup=False)
        return
    lines = [*by_hand, *(f"{edit}" for edit in edits)]
    people().print(
        "\n".join([f"{name} still names the release, and the next up would bring it back. Put in:", *lines]),
        markup=False,
    )


def emit_rollout(found: Journal | None, form: Format, output: Path | None) -> None:
    """Where a roll-out stands, for people or programs."""
    if form is Format.JSON:
        emit_json("rollout", _document(found), output)
    elif found is not None:
        rows = [(one.name, one.stage.value, one.note or "-") for one in found.regions]
        emit(aligned([("REGION", "STAGE", "NOTE"), *rows]), output)
        people().print(f"{found.environment}: {found.status.value}", markup=False)


def _document(found: Journal | None) -> dict[str, object]:
    from gpufleet.rollout.release import changes

    if found is None:
        return {"status": "none", "changes": [], "regions": []}
    return {
        "environment": found.environment,
        "sandbox": found.sandbox,
        "status": found.status.value,
        "changes": [
            {"model": one.model, "key": one.key, "old": one.old, "new": one.new}
            for one in changes(found.previous, found.release)
        ],
        "regions": [
            {
                "name": one.name,
                "stage": one.stage.value,
                "since": None if one.since is None else one.since.isoformat(),
                "note": one.note,
            }
            for one in found.regions
        ],
    }
