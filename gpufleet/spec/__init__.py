"""The typed environment: one stack file becomes one `Environment`, or an error with file and line of every mistake."""

from __future__ import annotations

from gpufleet.spec.environment import Environment
from gpufleet.spec.load import Loaded, load, load_environment, parse, parse_environment
from gpufleet.spec.problem import Problem, Severity, SpecError
from gpufleet.spec.stack_file import StackFile

__all__ = [
    "Environment",
    "Loaded",
    "Problem",
    "Severity",
    "SpecError",
    "StackFile",
    "load",
    "load_environment",
    "parse",
    "parse_environment",
]
