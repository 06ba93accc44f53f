"""A mixed-integer linear program, written row by row and solved by HiGHS (scipy.optimize.milp)."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gpufleet.sizing.numbers import SizingError

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_OPTIMAL, _LIMIT, _INFEASIBLE = 0, 1, 2


class Outcome(StrEnum):
    """How a solve ended."""

    OPTIMAL = "optimal"
    """Within the gap that was asked for."""
    FEASIBLE = "feasible"
    """The time was up; the solution keeps every constraint, its distance from the optimum is the gap."""
    INFEASIBLE = "infeasible"
    UNKNOWN = "unknown"
    """The time was up before any solution was found."""


@dataclass(frozen=True, kw_only=True)
class Solution:
    """Result of a solve; `values` is empty unless there is a solution."""

    outcome: Outcome
    values: tuple[float, ...] = ()
    cost: float = math.nan
    gap: float = math.nan
    """Relative distance between the cost and the proven lower bound; 0 is a proven optimum."""


@dataclass(frozen=True, kw_only=True)
class Relaxation:
    """Optimum with fractions allowed."""

    cost: float
    """No solution in whole numbers costs less."""
    values: tuple[float, ...]
    reduced_costs: tuple[float, ...]
    """Per variable, by how much the cost would at least grow for one unit of it."""


@dataclass
class _Row:
    terms: list[tuple[int, float]]
    low: float
    high: float
    group: str
    label: str


@dataclass
class Program:
    """Variables from 0 up, linear constraints, a linear cost to make small."""

    _costs: list[float] = field(default_factory=list)
    _highs: list[float] = field(default_factory=list)
    _integer: list[bool] = field(default_factory=list)
    _rows: list[_Row] = field(default_factory=list)

    def variable(self, *, cost: float = 0.0, high: float = math.inf, integer: bool = False) -> int:
        """Add a variable from 0 to `high`; its index."""
        self._costs.append(cost)
        self._highs.append(high)
        self._integer.append(integer)
        return len(self._costs) - 1

    def row(
        self,
        terms: Iterable[tuple[int, float]],
        *,
        low: float = -math.inf,
        high: float = math.inf,
        group: str,
        label: str,
    ) -> None:
        """Add low ≤ Σ coefficient · variable ≤ high.

        Args:
            terms: variable and coefficient.
            low: lower bound.
            high: upper bound.
            group: what kind of constraint it is, for `relaxed`.
            label: this one, for people.
        """
        self._rows.append(_Row(list(terms), low, high, group, label))

    def relaxed(self, groups: Collection[str]) -> tuple[Program, dict[str, int]]:
        """This program with the rows of `groups` made elastic, and only the violation to make small.

        Returns:
            The program, and per label the variable that holds by how much its row is broken.
        """
        elastic = Program([0.0] * len(self._costs), list(self._highs), list(self._integer))
        slacks: dict[str, int] = {}
        for row in self._rows:
            terms = list(row.terms)
            if row.group in groups:
                # Relative to the bound, so that tokens, vCPUs and regions weigh alike.
                bound = max(abs(value) for value in (row.low, row.high, 1.0) if math.isfinite(value))
                slack = elastic.variable(cost=1 / bound)
                slacks[row.label] = slack
                terms.append((slack, 1.0 if math.isfinite(row.low) else -1.0))
            elastic._rows.append(_Row(terms, row.low, row.high, row.group, row.label))
        return elastic, slacks

    def groups(self) -> tuple[str, ...]:
        """The kinds of constraints there are, in the order they were added."""
        return tuple(dict.fromkeys(row.group for row in self._rows))

    def solve(self, *, gap: float, seconds: float, within: Mapping[int, tuple[float, float]] | None = None) -> Solution:
        """Solve.

        Args:
            gap: relative gap that is good enough; 0 asks for a proven optimum.
            seconds: time after which the best solution so far is taken.
            within: tighter bounds of some variables, for a search of a part of the space.

        Raises:
            SizingError: the solver gave up for a reason of its own.
        """
        import numpy as np  # noqa: PLC0415 half a second that only a placement needs
        from scipy.optimize import Bounds, LinearConstraint, milp  # noqa: PLC0415

        if not self._costs:
            return Solution(outcome=Outcome.OPTIMAL, cost=0.0, gap=0.0)
        least, most = np.zeros(len(self._highs)), np.array(self._highs, dtype=float)
        for variable, (low, high) in (within or {}).items():
            least[variable], most[variable] = low, min(high, most[variable])
        lows, tops = np.array([row.low for row in self._rows]), np.array([row.high for row in self._rows])
        with _silent():
            result = milp(
                np.array(self._costs),
                integrality=np.array(self._integer, dtype=int),
                bounds=Bounds(least, most),
                constraints=LinearConstraint(self._matrix(self._rows), lows, tops) if self._rows else None,
                options={"mip_rel_gap": gap, "time_limit": seconds},
            )
        return _solution(result.status, result.x, result.fun, getattr(result, "mip_gap", None), str(result.message))

    def relaxation(self) -> Relaxation | None:
        """The program with fractions allowed: a lower bound of the cost; None when even that is infeasible.

        Raises:
            SizingError: the solver gave up for a reason of its own.
        """
        import numpy as np  # noqa: PLC0415
        from scipy.optimize import linprog  # noqa: PLC0415
        from scipy.sparse import vstack  # noqa: PLC0415

        equal = [row for row in self._rows if row.low == row.high]
        above = [row for row in self._rows if row.low != row.high and math.isfinite(row.high)]
        below = [row for row in self._rows if row.low != row.high and math.isfinite(row.low)]
        # scipy takes sparse matrices and an array of bounds here; its type stubs don't know that.
        program: dict[str, Any] = {
            "A_ub": vstack([self._matrix(above), -self._matrix(below)], format="csr"),
            "b_ub": np.array([row.high for row in above] + [-row.low for row in below]),
            "A_eq": self._matrix(equal),
            "b_eq": np.array([row.low for row in equal]),
            "bounds": np.column_stack([np.zeros(len(self._highs)), self._highs]),
        }
        with _silent():
            result = linprog(np.array(self._costs), method="highs", **program)
        if result.status == _INFEASIBLE:
            return None
        if result.status != _OPTIMAL:
            raise SizingError(f"the solver ended without a result: {result.message}")
        return Relaxation(
            cost=float(result.fun or 0.0),
            values=tuple(float(value) for value in (() if result.x is None else result.x)),
            reduced_costs=tuple(float(value) for value in result.lower.marginals),
        )

    def _matrix(self, rows: Sequence[_Row]) -> csr_array:
        from scipy.sparse import csr_array  # noqa: PLC0415

        data: list[float] = []
        columns: list[int] = []
        starts = [0]
        for row in rows:
            data += [coefficient for _, coefficient in row.terms]
            columns += [variable for variable, _ in row.terms]
            starts.append(len(data))
        matrix = csr_array((data, columns, starts), shape=(len(rows), len(self._costs)), dtype=float)
        matrix.sum_duplicates()
        return matrix


@contextmanager
def _silent() -> Iterator[None]:
    """Keep HiGHS off stdout: it leaves a debugging line there now and then, whatever its log options say."""
    sys.stdout.flush()
    kept = os.dup(1)
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 1)
            yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def broken(slacks: Mapping[str, int], solution: Solution, tolerance: float = 1e-6) -> dict[str, float]:
    """Per label by how much its row is broken, where it is."""
    return {
        label: solution.values[variable] for label, variable in slacks.items() if solution.values[variable] > tolerance
    }


def _solution(
    status: int, values: Iterable[float] | None, cost: float | None, gap: float | None, message: str
) -> Solution:
    if status == _INFEASIBLE:
        return Solution(outcome=Outcome.INFEASIBLE)
    if status not in {_OPTIMAL, _LIMIT}:
        raise SizingError(f"the solver ended without a result: {message}")
    if values is None or cost is None:
        return Solution(outcome=Outcome.UNKNOWN)
    return Solution(
        outcome=Outcome.OPTIMAL if status == _OPTIMAL else Outcome.FEASIBLE,
        values=tuple(float(value) for value in values),
        cost=float(cost),
        gap=float(gap or 0.0),
    )
