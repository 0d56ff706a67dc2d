"""Appendix C measured: how far the Gaussian filter's target (Eq. 21-22) is from the exact one (Eq. 14).

At lam the difference is lam times that at lam = 1, which is what these rows give: sin(omega x) without noise against
its filtered samples with noise 0.01.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch

from homotopy.algorithm.deformations import filter_targets
from homotopy.streams import Purpose, generator
from homotopy.theory.sgd import Array, Rows, mean_with_interval

OMEGA = 137.0
NOISE = 0.01
SAMPLES = (100, 1000, 8000)  # M
WIDTHS = (0.0005, 0.001, 0.002, 0.003, 0.004, 0.006, 0.008, 0.016, 0.032)  # xi
_PLACES = 400


def expectation(x: Array, width: float) -> tuple[Array, Array]:
    """Expected filtered target and expected sum of w_i/M at x (n,), for x_target ~ U(0, 1); by the midpoint rule.

    Ten cells to a width, and at least 2,000, some ninety to a period of the sine.
    """
    cells = max(2000, math.ceil(10 / width))
    u = (np.arange(cells) + 0.5) / cells
    value, weight = np.empty_like(x), np.empty_like(x)
    wave = np.sin(OMEGA * u)
    for i, place in enumerate(x):
        density = np.exp(-((place - u) ** 2) / (2 * width**2)) / (math.sqrt(2 * math.pi) * width)
        value[i], weight[i] = (density * wave).mean(), density.mean()
    return value, weight


def attenuation(width: float) -> float:
    """exp(-omega^2 xi^2/2), by which the filter shrinks a sine wave far from the ends."""
    return math.exp(-((OMEGA * width) ** 2) / 2)


def _draws(samples: int, width: float, repetitions: int, seed: int) -> tuple[Array, Array]:
    """Filtered values and total weights at the same places for every repetition, both (repetitions, places)."""
    rng = generator(seed, Purpose.THEORY, 11, samples)
    x = torch.from_numpy(rng.uniform(size=(repetitions, samples, 1)))
    y = torch.sin(OMEGA * x) + NOISE * torch.from_numpy(rng.standard_normal(x.shape))
    places = torch.from_numpy(_places()).reshape(1, -1, 1).expand(repetitions, -1, 1)
    index = torch.arange(samples).expand(repetitions, -1)
    values = filter_targets(places, x, y, index, width)
    weights = filter_targets(places, x, torch.ones_like(y), index, width)
    return values.squeeze(-1).numpy(), weights.squeeze(-1).numpy()


def _places() -> Array:
    return (np.arange(_PLACES) + 0.5) / _PLACES


def error_rows(repetitions: int, seed: int) -> Rows:
    """Rows M x xi: root mean square error over x ~ U(0, 1) with its 99 % interval, split into bias and scatter.

    The bias is exact (its expectation by quadrature). `normalised` is the error with weights divided by their sum,
    which the paper does not do; `ends` the bias within 3 xi of an end, `interior` elsewhere.
    """
    x = _places()
    exact = np.sin(OMEGA * x)
    for width in WIDTHS:
        bias = expectation(x, width)[0] - exact
        ends = (x < 3 * width) | (x > 1 - 3 * width)
        for samples in SAMPLES:
            values, weights = _draws(samples, width, repetitions, seed)
            normalised = np.divide(values, weights, out=np.zeros_like(values), where=weights > 0)
            square = mean_with_interval(((values - exact) ** 2).mean(axis=1))
            yield {
                "M": samples, "xi": width, "rmse": math.sqrt(square.value), "low": math.sqrt(max(square.low, 0)),
                "high": math.sqrt(square.high), "bias": _rms(bias), "scatter": _rms(values - bias - exact),
                "ends": _rms(bias[ends]), "interior": _rms(bias[~ends]), "attenuation": attenuation(width),
                "normalised": _rms(normalised - exact),
            }  # fmt: skip


def end_rows(widths: Sequence[float] = (0.003, 0.01)) -> Rows:
    """Rows xi x place near x = 0: the exact target, the filter's expectation, and the expected sum of its weights."""
    x = np.linspace(0, 0.1, 201)
    for width in widths:
        value, weight = expectation(x, width)
        for place, target, filtered, total in zip(x, np.sin(OMEGA * x), value, weight, strict=True):
            yield {"xi": width, "x": place, "target": target, "filtered": filtered, "weight": total}


def _rms(values: Array) -> float:
    return float(np.sqrt(np.mean(np.square(values))))
