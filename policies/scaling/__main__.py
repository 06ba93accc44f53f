"""The policy pack `scaling`: `pulumi preview --policy-pack policies/scaling`."""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    # Pulumi starts a pack in its own folder; the rules stand above it.
    sys.path.insert(0, str(Path(__file__).parents[2]))
    from policies.pack import serve
    from policies.rule import Pack

    serve(Pack.SCALING)
