"""The offline verdict on an environment: valid, within its budget, large enough; and what to do where it is not.

`check` reads a stack file, plans the program, prices and sizes it, asks every rule of `policies/rules`, lets waivers
cover what they may, and holds it all against a base when there is one.
"""

from __future__ import annotations

from gpufleet.check.base import Base
from gpufleet.check.finding import Finding, Level, Place, Since, Verdict
from gpufleet.check.report import FailOn, Report
from gpufleet.check.run import check

__all__ = ["Base", "FailOn", "Finding", "Level", "Place", "Report", "Since", "Verdict", "check"]
