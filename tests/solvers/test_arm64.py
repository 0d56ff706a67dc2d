"""The C++ solver compiled for ARM64 and run in QEMU: the same bits as on this processor."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path

import pytest
import torch

from homotopy.solvers import fused, native
from homotopy.solvers.fused import FusedEnsemble
from homotopy.solvers.mlp import MLP
from homotopy.solvers.optimizers import Adam
from tests.machine import needs_cpp
from tests.solvers.test_fused import BATCH, initial, sine, train

COMPILER, EMULATOR = "aarch64-linux-gnu-g++", shutil.which("qemu-aarch64-static") or shutil.which("qemu-aarch64")
pytestmark = [
    needs_cpp,
    pytest.mark.skipif(not (shutil.which(COMPILER) and EMULATOR), reason=f"needs {COMPILER} and qemu-aarch64"),
]
REAL = {torch.float32: (ctypes.c_float, "float"), torch.float64: (ctypes.c_double, "double")}


class Arm64:
    """What `homotopy.solvers.fused.library` returns, each call of which is a process of the emulator; Adam alone."""

    def __init__(self, folder: Path, dtype: torch.dtype) -> None:
        self._real, name = REAL[dtype]
        self._program = folder / "arm64"
        flags = [flag for flag in native.FLAGS if flag not in ("-fPIC", "-shared")]
        source = Path(__file__).with_name("arm64.cpp")
        subprocess.run([COMPILER, *flags, "-static", f"-DREAL={name}", source, "-o", self._program], check=True)

    def train(self, sizes, layers, theta, rule, x, y, y_target, samples, batch, losses) -> bool:
        """Train as fused.cpp does, with addresses for tensors."""
        of = rule._obj
        constants = (ctypes.c_double * 6)(of.lr, of.beta1, of.beta2, of.eps, of.momentum, of.step)
        count = sum((sizes[layer] + 1) * sizes[layer + 1] for layer in range(layers))
        moments = [self._at(address, count) for address in (of.first, of.second)]
        data = self._data(sizes, layers, theta, x, y, y_target, samples, batch, trains=True)
        changed = [self._at(theta, count), *moments, (ctypes.c_double * 2).from_address(losses)]
        return self._call([*data, constants, *moments], changed)

    def evaluate(self, sizes, layers, theta, x, y, samples, batch, loss) -> bool:
        """Evaluate as fused.cpp does."""
        data = self._data(sizes, layers, theta, x, y, None, samples, batch, trains=False)
        return self._call(data, [(ctypes.c_double * 1).from_address(loss)])

    def _data(self, sizes, layers, theta, x, y, y_target, samples, batch, trains) -> list:
        count = sum((sizes[layer] + 1) * sizes[layer + 1] for layer in range(layers))
        outputs = samples * sizes[layers]
        arrays = [self._at(theta, count), self._at(x, samples * sizes[0]), self._at(y, outputs)]
        targets = [] if y_target is None else [self._at(y_target, outputs)]
        return [(ctypes.c_long * 5)(layers, samples, batch, trains, bool(targets)), sizes, *arrays, *targets]

    def _at(self, address: int, count: int) -> ctypes.Array:
        return (self._real * count).from_address(address)

    def _call(self, sent: list, changed: list) -> bool:
        done = subprocess.run([EMULATOR, self._program], input=b"".join(map(bytes, sent)), capture_output=True)
        at = 0
        for values in changed:
            ctypes.memmove(values, done.stdout[at : at + ctypes.sizeof(values)], ctypes.sizeof(values))
            at += ctypes.sizeof(values)
        return done.returncode == 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_arm64_computes_the_same_bits(dtype: torch.dtype, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At sizes that no vector divides, from the start and from moments about to become subnormal."""
    model, seeds = MLP(inputs=2, width=41, depth=2), range(2)
    libraries, found = [fused.library(dtype), Arm64(tmp_path, dtype)], []
    for each in libraries:
        monkeypatch.setattr(fused, "library", lambda dtype, each=each: each)
        ensemble = FusedEnsemble(model, Adam(), initial(seeds, model, dtype), BATCH)
        problem = sine(seeds, model, dtype)
        losses = train(ensemble, problem)
        state = ensemble.state()
        tiny = torch.finfo(dtype).tiny
        ensemble.load(state | {"exp_avg": state["exp_avg"] * tiny, "exp_avg_sq": state["exp_avg_sq"] * tiny})
        losses += train(ensemble, problem, range(4, 6))
        found.append([*ensemble.state().values(), torch.stack(losses), ensemble.evaluate(problem.x, problem.y)])
    assert all(torch.equal(*pair) for pair in zip(*found, strict=True))
