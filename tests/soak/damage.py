"""Damage every table of a copied checkout and run commands on it: `PYTHONPATH=COPY python damage.py COPY PART`.

Prints what a person should never see, a line each. Commands run in forks of one process that has imported everything,
with each file put back as it was afterwards.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

COMMANDS = (
    ("size", "prod"),
    ("explain", "sizing"),
    ("explain", "sizing", "frontier"),
    ("cost", "dev"),
    ("offers", "--gpu", "H100"),
    ("prices", "status"),
    ("prices", "show", "Standard_ND96isr_H100_v5"),
)
_CELLS = ("", "-1", "nan", "1e999", "x", "0", "99999999999999999999", "2999-01-01")
_FORESEEN = {0, 2, 5}


def damaged(data: bytes, chance: random.Random) -> Iterator[tuple[str, bytes | None]]:
    """Ways to damage a table: a name and the new content, None for no file."""
    lines = data.splitlines(keepends=True)
    number = chance.randrange(1, len(lines))
    before, line, after = b"".join(lines[:number]), lines[number], b"".join(lines[number + 1 :])
    yield "missing", None
    yield "empty", b""
    yield "head alone", lines[0]
    yield "no text", data[:50] + b"\xff\xfe" + data[50:]
    yield "cut off", data[: chance.randrange(1, len(data))]
    yield f"line {number + 1} quoted", before + b'"' + line + after
    yield f"line {number + 1} twice", before + line + line + after
    yield f"line {number + 1} gone", before + after
    head = lines[0].rstrip(b"\n").split(b",")
    column = chance.randrange(len(head))
    renamed = b",".join([*head[:column], b"renamed", *head[column + 1 :]])
    yield f"column {column + 1} renamed", renamed + b"\n" + b"".join(lines[1:])
    cells = line.rstrip(b"\n").split(b",")
    for cell in chance.sample(_CELLS, 3):
        column = chance.randrange(len(cells))
        changed = b",".join([*cells[:column], cell.encode(), *cells[column + 1 :]])
        yield f"line {number + 1}, column {column + 1} is {cell!r}", before + changed + b"\n" + after


def run(command: tuple[str, ...], said: Path) -> int:
    """Exit code of a command in a fork; what it writes goes to `said`."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    out = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(out, 1)
    os.dup2(out, 2)
    sys.argv = ["gpufleet", *command]
    from gpufleet.cli.app import main

    try:
        main()
    except SystemExit as left:
        sys.stdout.flush()
        os._exit(int(left.code or 0))
    finally:
        os._exit(99)


def campaign(checkout: Path, part: int, parts: int) -> Iterator[str]:
    """What went wrong, and last how many runs there were."""
    chance = random.Random(part)
    count = 0
    with tempfile.TemporaryDirectory() as folder:
        said = Path(folder) / "said"
        for file in sorted(checkout.glob("gpufleet/*/data/*.csv"))[part::parts]:
            good = file.read_bytes()
            for name, content in damaged(good, chance):
                if content is None:
                    file.unlink()
                else:
                    file.write_bytes(content)
                for command in chance.sample(COMMANDS, 2):
                    count += 1
                    code = run(command, said)
                    text = said.read_text(errors="replace")
                    if code not in _FORESEEN or "internal error" in text or "Traceback" in text:
                        yield f"{file.name}, {name}: {' '.join(command)}: {code}: {text.strip()[-300:]!r}"
            file.write_bytes(good)
    yield f"{count} runs"


if __name__ == "__main__":
    import gpufleet.cli.app
    import gpufleet.cost
    import gpufleet.sizing.proposal

    root = Path(sys.argv[1])
    if not Path(gpufleet.__file__).is_relative_to(root):
        raise SystemExit(f"gpufleet comes from {gpufleet.__file__}, not from {root}")
    for wrong in campaign(root, int(sys.argv[2]), int(sys.argv[3])):
        sys.stdout.write(f"{wrong}\n")
