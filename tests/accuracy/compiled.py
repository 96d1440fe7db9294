"""Values and gradients under compilers that an eager call does not meet: TensorFlow's XLA, torch's."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Callable
from typing import Any

from .. import adapters
from ..harness import as_function
from .measure import Report, _Cell, judge, ready
from .references import Question

# torch's compiler calls a C++ compiler, which takes half a minute or more. Unless a thorough measurement is
# asked for, it is tried where formulas have most to lose by it.
INDUCTOR = ("log1mexp", "kl_divergence", "softmax_cross_entropy_with_integer_labels", "softplus")
Both = tuple[Any, list[Any]]


def measure_compiled(report: Report, question: Question, backend: str, thorough: bool) -> None:
    some = thorough or question.block.operation in INDUCTOR
    if backend == "tensorflow":
        _measure(report, question, backend, "XLA", _xla)
    elif backend == "torch" and some and shutil.which("g++"):
        _measure(report, question, backend, "inductor", _inductor)


def _measure(
    report: Report, question: Question, backend: str, mode: str, both: Callable[..., Callable[..., Both]]
) -> None:
    adapter, call = adapters.get(backend), question.call
    one, names = ready(question, adapter), list(question.gradients)
    function, others = as_function(_Cell(call.operation.name), one)  # type: ignore[arg-type]
    places = [call.operation.arrays.index(name) for name in names]
    cotangent = adapter.array(question.cotangent)
    value, gradients = both(function, places)([one.arrays[0], *others], cotangent)
    judge(report, question, backend, "value", None, mode, adapter.to_numpy(value))
    for name, result in zip(names, gradients, strict=True):
        judge(report, question, backend, "gradient", name, mode, adapter.to_numpy(result))


def _xla(function: Callable[..., Any], places: list[int]) -> Callable[..., Both]:
    import tensorflow as tf

    @tf.function(autograph=False, jit_compile=True)
    def both(arrays: Any, cotangent: Any) -> Both:
        wanted = [arrays[i] for i in places]
        with tf.GradientTape() as tape:
            tape.watch(wanted)
            value = function(*arrays)
        return value, tape.gradient(value, wanted, cotangent)

    return both


def _inductor(function: Callable[..., Any], places: list[int]) -> Callable[..., Both]:
    import torch

    torch.compiler.reset()
    compiled = torch.compile(function, fullgraph=True, dynamic=False)

    def both(arrays: Any, cotangent: Any) -> Both:
        leaves = [a.detach().clone().requires_grad_(i in places) for i, a in enumerate(arrays)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value = compiled(*leaves)
            return value, list(torch.autograd.grad(value, [leaves[i] for i in places], cotangent))

    return both
