"""Rows of many classes, along the last axis and along axis 0, ours and others'."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import uniflogits as ul
from uniflogits._core.operation import OPERATIONS

from .. import adapters
from ..call import Call
from ..exact import Reference
from ..harness import as_function
from ..specs.base import Sample
from . import many
from .blocks import Block, rng_of
from .measure import Report, _Cell, judge
from .peers import PEERS, function_of
from .references import Question, _joined


def measure_large(
    report: Report,
    n: int,
    dtype: str,
    seed: int,
    names: list[str],
    backends: list[str],
    peers: list[str],
    folder: Path,
) -> None:
    from .run import keep

    def make() -> Any:
        rows = many.make(rng_of(seed, "many", n, dtype), n, dtype)
        return rows, list(many.references(rows))

    rows, found = keep(folder / f"many-{n}-{dtype}.pickle", make)
    for name in names:
        answers = {quantity: parts for operation, quantity, parts in found if operation == name}
        for axis in (-1, 0):
            for backend in backends:
                _ours(report, rows, name, answers, n, dtype, axis, backend)
        for peer in peers:
            # What a peer refuses it has no answer to.
            with contextlib.suppress(Exception):
                _theirs(report, rows, name, answers, n, dtype, peer)


def _question(rows: many.Rows, name: str, n: int, dtype: str, axis: int) -> tuple[Question, np.ndarray]:
    """The call, and a cotangent of the value's shape."""
    arrays = rows.arrays(name)
    per_row = name not in many.BY_CLASS
    ct = rows.cotangent[:, 0].copy() if per_row else rows.cotangent
    if axis == 0:
        arrays = {key: a.T.copy() if a.ndim == 2 else a for key, a in arrays.items()}
        ct = ct if per_row else ct.T.copy()
    sample = Sample(f"n={n}", arrays, {"axis": axis}, underflow=1024.0)
    call = Call(OPERATIONS[name], arrays, {"axis": axis}, dtype)
    nothing = Reference(*(np.zeros(0),) * 3)
    return Question(Block(name, sample, rows.regimes, n), call, ct, {}, nothing), ct


def _judge(
    report: Report,
    question: Question,
    rows: many.Rows,
    answers: dict[str, list[Reference]],
    library: str,
    quantity: str,
    mode: str,
    numbers: np.ndarray,
    axis: int,
    judged: bool,
) -> None:
    """Numbers in the logits' shape are looked at where the exact ones are known."""
    size = len(rows.regimes)
    if numbers.ndim == 2:
        laid = numbers.T if axis == 0 else numbers
        numbers = np.take_along_axis(laid, rows.positions, axis=1).ravel()
        places = np.repeat(np.arange(size), rows.positions.shape[1])
    else:
        places = np.arange(size)
    joined = _joined(answers[quantity])
    judge(report, question, library, quantity, mode, numbers, places, joined, size, judged)


def _ours(
    report: Report,
    rows: many.Rows,
    name: str,
    answers: dict[str, list[Reference]],
    n: int,
    dtype: str,
    axis: int,
    backend: str,
) -> None:
    adapter = adapters.get(backend)
    question, ct = _question(rows, name, n, dtype, axis)
    operation, public = OPERATIONS[name], getattr(ul, name)
    arrays = [adapter.array(a) for a in question.call.positional().values()]
    options = {"axis": axis}
    label = f"axis {axis}"

    def judge_ours(quantity: str, mode: str, result: Any) -> None:
        numbers = adapter.to_numpy(result)
        _judge(report, question, rows, answers, backend, quantity, f"{mode}, {label}", numbers, axis, True)

    value, pullback = ul.vjp(public, *arrays, **options)
    judge_ours("value", "call", value)
    cotangent = adapter.array(ct)
    closed = pullback(cotangent)
    places = [operation.arrays.index(partner) for partner in operation.partners]
    quantities = ["gradient", "gradient by q_logits"][: len(places)]
    for quantity, place in zip(quantities, places, strict=True):
        judge_ours(quantity, "vjp", closed[place])
    one = type("One", (), {"call": question.call, "options": options, "arrays": arrays})()
    function, others = as_function(_Cell(name), one)  # type: ignore[arg-type]
    native = adapter.gradients(function, [arrays[0], *others], cotangent, places)
    for mode, results in native.items():
        for quantity, result in zip(quantities, results, strict=True):
            judge_ours(quantity, mode, result)


def _theirs(
    report: Report,
    rows: many.Rows,
    name: str,
    answers: dict[str, list[Reference]],
    n: int,
    dtype: str,
    peer: str,
) -> None:
    function: Callable[..., Any] | None = function_of(peer, name)
    if function is None:
        return
    adapter = adapters.get(PEERS[peer][0])
    question, ct = _question(rows, name, n, dtype, -1)
    arrays = [adapter.array(a) for a in question.call.positional().values()]

    def judge_theirs(quantity: str, mode: str, result: Any) -> None:
        numbers = adapter.to_numpy(result)
        library = f"{peer}'s own"
        _judge(report, question, rows, answers, library, quantity, mode, numbers, -1, False)

    judge_theirs("value", "call, axis -1", function(*arrays))
    if adapter.autodiff:
        places = [OPERATIONS[name].arrays.index(partner) for partner in OPERATIONS[name].partners]
        found = adapter.gradients(function, arrays, adapter.array(ct), places)
        mode, results = next(iter(found.items()))
        for quantity, result in zip(["gradient", "gradient by q_logits"], results, strict=False):
            judge_theirs(quantity, f"{mode}, axis -1", result)
