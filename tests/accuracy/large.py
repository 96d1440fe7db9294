"""Rows of many classes, along the last axis and along axis 0, ours and others'."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import numpy as np

from ..call import make_call
from ..specs._losses import focal_underflow
from ..specs.base import Sample
from . import many
from .blocks import Block
from .compiled import measure_compiled
from .measure import Report, measure_ours
from .peers import measure_peer
from .references import Question
from .regimes import ONE_LARGE_TERM


def questions(rows: many.Rows, known: list[many.Known]) -> Iterator[Question]:
    """The calls of every operation whose exact numbers are known, by axis."""
    for name in dict.fromkeys(operation for operation, *_ in known):
        answers = {quantity: found for operation, quantity, *found in known if operation == name}
        for axis in (None,) if name == many.LINEAR else (-1,) if rows.alike else (-1, 0):
            yield _question(rows, name, answers, axis)


def _question(rows: many.Rows, name: str, answers: dict[str, list], axis: int | None) -> Question:
    arrays, ct = rows.arrays(name), rows.weights(name)
    classes = rows.p_logits.shape[1]
    if axis == 0:
        arrays = {argument: a.T.copy() if a.ndim == 2 else a for argument, a in arrays.items()}
        ct = ct.T.copy()

    def placed(positions: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """The same number's place where rows are columns."""
        if axis != 0 or len(shape) == 1:
            return positions
        row, column = np.divmod(positions, shape[0])
        return column * shape[1] + row

    underflow = focal_underflow(rows.p_logits, 2.0) if "focal" in name else 1024.0
    sample = Sample(f"n={classes}", arrays, {} if axis is None else {"axis": axis}, underflow=underflow)
    plain = name != many.LINEAR
    form = f"{classes} classes" if axis is None else f"{classes} classes, axis {axis}"
    if rows.alike:
        form = f"{ONE_LARGE_TERM}, {form}"
    regimes = rows.regimes if plain else (", ".join(rows.regimes),)
    # Each of a row's terms may have been flushed to zero.
    block = Block(name, sample, regimes, classes, plain, form=form, summed=classes)
    positions, value = answers["value"]
    call = make_call(name, sample, rows.p_logits.dtype.name)
    question = Question(block, call, ct, {}, value, placed(positions, ct.shape))
    for argument in call.operation.partners:
        positions, reference = answers[question.quantity("gradient", argument)]
        question.gradients[argument] = placed(positions, np.shape(arrays[argument])), reference
    return question


def measure(
    report: Report, question: Question, backends: list[str], peers: list[str], compiled: bool, thorough: bool
) -> None:
    for backend in backends:
        measure_ours(report, question, backend)
    if question.call.options.get("axis") == 0:
        return
    for backend in backends if compiled else ():
        # A minute of each by torch's compiler: few classes do, unless a thorough measurement is asked for.
        if backend != "torch" or thorough:
            measure_compiled(report, question, backend, thorough)
    for peer in peers:
        # What a peer refuses it has no answer to.
        with contextlib.suppress(Exception):
            measure_peer(report, question, peer)
