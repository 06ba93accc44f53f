"""Where findings come from once a stack file is valid. A new kind of rule is one more entry of `SOURCES`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from gpufleet.check.finding import Finding
from gpufleet.check.subject import Subject


@dataclass(frozen=True, kw_only=True)
class Source:
    """Rules of one kind.

    Attributes:
        name: what its rules' ids begin with.
        rules: ids of the rules that it asks of a subject; those without a finding have passed.
        find: all that they have to say. It may raise: that is a finding too.
    """

    name: str
    rules: Callable[[Subject], Iterable[str]]
    find: Callable[[Subject], Iterable[Finding]]


SOURCES: Final[tuple[Source, ...]] = ()
