"""The constants of the roofline, fitted to its calibration runs: `python -m tests.sizing.fit_roofline` prints them."""

from __future__ import annotations

import math
import sys

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from gpufleet.catalog import throughput
from gpufleet.sizing.calibration import residual
from gpufleet.sizing.roofline import Efficiency

_START = (0.7, 0.5, 0.3, 5e-5, 5e-5)


def constants(logarithms: NDArray[np.float64]) -> Efficiency:
    """The constants from their logarithms, which keep them above 0."""
    memory, compute, experts, all_reduce, layer = (math.exp(one) for one in logarithms)
    return Efficiency(
        memory=memory,
        compute=compute,
        expert_compute=experts,
        all_reduce_s=all_reduce,
        node_all_reduce_s=0.0,
        layer_s=layer,
    )


def fitted(runs: tuple[throughput.CalibrationRun, ...] = throughput.calibration_runs()) -> Efficiency:
    """Least squares of ln(predicted / measured), soft L1 so that outliers don't decide."""

    def errors(logarithms: NDArray[np.float64]) -> list[float]:
        return [residual(run, constants(logarithms)) for run in runs]

    found = least_squares(errors, np.log(_START), loss="soft_l1")
    return constants(found.x)


if __name__ == "__main__":
    sys.stdout.write(f"{fitted()}\n")
