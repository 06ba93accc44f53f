"""The typed environment: one stack file becomes one `Environment`, or an error that names every mistake with file and line."""

from __future__ import annotations
