"""The two providers as the engine sees them: gRPC servers over the sandbox's clouds."""

from __future__ import annotations
