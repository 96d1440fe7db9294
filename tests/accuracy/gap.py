"""Error against the confidence gap: the loss of a confident right answer, by how far ahead that answer is."""

from __future__ import annotations

from typing import Any

import gmpy2
import numpy as np
from gmpy2 import mpfr

import uniflogits as ul

from .. import adapters
from ..compare import ulp
from ..oracle.numbers import precision
from .peers import PEERS, function_of

OPERATION = "softmax_cross_entropy_with_integer_labels"
GAPS = np.arange(0.0, 86.0, 1.0)
CLASSES, DRAWS = 10, 8


def measure(seed: int, libraries: list[str], peers: list[str]) -> dict[str, Any]:
    """By library and dtype the worst error at each gap, of the loss and of the right class's gradient."""
    found: dict[str, Any] = {"gaps": GAPS.tolist(), "classes": CLASSES, "loss": {}, "gradient": {}}
    for dtype in ("float32", "float64"):
        rng = np.random.default_rng([seed, 9])
        x = rng.uniform(-4, 0, size=(len(GAPS) * DRAWS, CLASSES))
        x[:, 0] = 0
        x[:, 3] += np.repeat(GAPS, DRAWS) - x[:, 3] + x.max(axis=-1)
        x, labels = x.astype(dtype), np.full(len(x), 3)
        exact = _exact(x)
        functions = {f"uniflogits on {name}": (name, getattr(ul, OPERATION)) for name in libraries}
        functions |= {peer: (PEERS[peer][0], function_of(peer, OPERATION)) for peer in peers}
        for name, (backend, function) in functions.items():
            if function is None:
                continue
            adapter = adapters.get(backend)
            arrays = [adapter.array(x), adapter.array(labels)]
            answers = {"loss": adapter.to_numpy(function(*arrays))}
            if name == "uniflogits on numpy":
                _, pullback = ul.vjp(function, *arrays)
                answers["gradient"] = pullback(np.ones(len(x), dtype))[0][:, 3]
            elif adapter.autodiff:
                ones = adapter.array(np.ones(len(x), dtype))
                gradients = adapter.gradients(function, arrays, ones, [0])
                answers["gradient"] = adapter.to_numpy(next(iter(gradients.values()))[0])[:, 3]
            for quantity, numbers in answers.items():
                right = exact[quantity]
                error = np.abs(numbers.astype(float) - right) / ulp(np.abs(right), dtype)
                worst = error.reshape(len(GAPS), DRAWS).max(axis=1)
                found[quantity].setdefault(name, {})[dtype] = [float(f"{e:.4g}") for e in worst]
    return found


def _exact(x: np.ndarray) -> dict[str, np.ndarray]:
    """log(1 + S) and -S / (1 + S), S the sum of the others' e^(x - x_y)."""
    losses, gradients = [], []
    with precision(300):
        for row in x.astype(float):
            top = mpfr(row[3], 1)
            others = sum((gmpy2.exp(mpfr(n, 1) - top) for k, n in enumerate(row) if k != 3), mpfr(0))
            losses.append(float(gmpy2.log1p(others)))
            gradients.append(float(-others / (1 + others)))
    return {"loss": np.asarray(losses), "gradient": np.asarray(gradients)}
