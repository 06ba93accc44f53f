"""`python -m bench [--repeat N] [--stack NAME]…`."""

from __future__ import annotations

import argparse

from bench.run import measure, write
from gpufleet.engine.project import ROOT, stack_files

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--repeat", type=int, default=3, help="how often each is run; the median counts (default 3)")
    parser.add_argument("--stack", action="append", help="only these for `up` (default: all in stacks/)")
    arguments = parser.parse_args()
    write(measure(arguments.stack or list(stack_files(ROOT)), arguments.repeat), ROOT / "bench" / "results")
