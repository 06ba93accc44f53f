"""Build the control plane and download the definitions, or say nothing when both are there."""

from __future__ import annotations

import sys

from gpufleet.engine.errors import EngineUnavailableError
from tools.control_plane import build, definitions
from tools.control_plane.errors import ControlPlaneError

EXIT_CONFIGURATION = 2


def main() -> int:
    """Make sure of both.

    Returns:
        0, or 2 with the reason on stderr, or 130 after Ctrl-C.
    """
    try:
        definitions.ensure()
        build.ensure()
    except (ControlPlaneError, EngineUnavailableError, OSError) as error:
        hint = getattr(error, "hint", "")
        sys.stderr.write(f"[control-plane] error: {error}\n" + (f"  {hint}\n" if hint else ""))
        return EXIT_CONFIGURATION
    except KeyboardInterrupt:
        sys.stderr.write("[control-plane] stopped; what is compiled is kept for the next run\n")
        return 130
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
