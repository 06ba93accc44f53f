"""Where the `gpufleet` command starts: so little that Ctrl-C has its exit code from the first import on."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command line and leave the process with an `ExitCode`."""
    # pydantic looks through the metadata of every installed package for plugins, and would slow every start for them.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    try:
        from gpufleet.cli import app

        app.main()
    except KeyboardInterrupt:
        sys.stderr.write("error: cancelled\n")
        raise SystemExit(8) from None  # ExitCode.CANCELLED, perhaps before the import of it has come to its end
