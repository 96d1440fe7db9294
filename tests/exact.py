"""Exact values and derivatives of a call, from the oracle alone, as numbers the comparison can use quickly.

Derivatives are central differences with a step of 2^-170 at a precision that leaves more than a float64 of
correct digits even in the far tails. They take a while, so they are kept (answers.py).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gmpy2
import numpy as np
from gmpy2 import mpfr

from uniflogits._core.operation import OPERATIONS

from .answers import Reference as Reference
from .answers import kept
from .call import Call
from .oracle.numbers import VALUE_BITS, exact, precision
from .specs.base import Exact, Spec

STEP_BITS = 170
# A second derivative as small as the smallest subnormal, of a value near 1, takes 2 * 170 + 1074 + 60 bits.
DERIVATIVE_BITS = {"float32": 700, "float64": 1500}
# Of logits no larger than this no probability is below e^-80 = 2^-116. Fewer bits do for float64 then: what
# is left of rounding, at most 2^(2 * 170 - 1000) of the value, is below any product of five probabilities.
MODERATE, MODERATE_BITS = 40.0, 1000


def values(spec: Spec, call: Call) -> list[Reference]:
    """The exact results of a call: one, or a number and its sign."""

    def make() -> list[Reference]:
        with precision(VALUE_BITS):
            answer = spec.oracle(*_inputs(call), **call.options, **call.exact_keywords())
            first, *others = answer if isinstance(answer, tuple) else (answer,)
            return [Reference.of(first.value, first.scale), *(Reference.of(np.asarray(o)) for o in others)]

    return kept(spec, ("value", *call.key()), make)


@dataclass(frozen=True)
class Jacobian:
    """Derivatives of the value by some entries of one array: columns[..., k] by the entry at positions[k].

    An elementwise function has one column, its diagonal.
    """

    positions: np.ndarray
    columns: np.ndarray
    diagonal: bool


def _step() -> mpfr:
    return gmpy2.div_2exp(mpfr(1), STEP_BITS)


def _inputs(call: Call) -> list[np.ndarray]:
    return [exact(a) if call.is_floating(name) else a for name, a in call.positional().items()]


def _oracle_of(spec: Spec, call: Call, name: str) -> tuple[Callable[[np.ndarray], np.ndarray], np.ndarray]:
    """The oracle as a function of one array, and that array."""
    inputs, keywords = dict(zip(call.positional(), _inputs(call), strict=True)), call.exact_keywords()
    everything = {**inputs, **keywords}

    def function(array: np.ndarray) -> np.ndarray:
        now = {**everything, name: array}
        answer = spec.oracle(*(now[n] for n in inputs), **call.options, **{n: now[n] for n in keywords})
        return (answer[0] if isinstance(answer, tuple) else answer).value

    return function, everything[name]


def _difference(
    function: Callable[[np.ndarray], np.ndarray], array: np.ndarray, step: np.ndarray
) -> np.ndarray:
    """function(array + step) - function(array - step), and 0 where both are the same infinity."""
    # Arithmetic on 0-d object arrays gives bare numbers.
    after, before = (function(np.asarray(moved, dtype=object)) for moved in (array + step, array - step))
    return np.asarray(np.where(after == before, mpfr(0), after - before), dtype=object)


def _bits(call: Call) -> int:
    """The precision that leaves more than a float64 of correct digits in a derivative."""
    numbers = [np.abs(np.asarray(a, float)) for name, a in call.arrays.items() if call.is_floating(name)]
    moderate = all((a[np.isfinite(a)] <= MODERATE).all() for a in numbers)
    return min(MODERATE_BITS if moderate else 10_000, DERIVATIVE_BITS[call.compute])


def _without_noise(call: Call, numbers: np.ndarray) -> np.ndarray:
    """0 in place of what rounding has left of it, which a float64 could hold."""
    if _bits(call) != MODERATE_BITS:
        return numbers
    limit = gmpy2.div_2exp(mpfr(1), MODERATE_BITS - 2 * STEP_BITS - 20)
    return np.frompyfunc(lambda number: mpfr(0) if abs(number) < limit else number, 1, 1)(numbers)


def _examples(call: Call, name: str) -> int:
    """How many examples the call consists of, none of which knows of the others; 1 where in doubt."""
    shape = np.shape(call.arrays[name])
    plain = call.options.get("reduction", "none") == "none" and "axis" not in call.options
    if OPERATIONS[call.operation.name].many_axes is None or not plain or len(shape) != 2:
        return 1
    known = (shape, shape[:1])
    arrays = all(np.shape(a) in known for a in call.positional().values())
    others = all(np.shape(a) in (*known, shape[1:], ()) for a in call.keywords().values())
    return shape[0] if arrays and others and shape[0] != shape[1] else 1


def _example(call: Call, count: int, index: int) -> Call:
    """One of the `count` examples of a call."""
    if count == 1:
        return call
    arrays = {
        name: a[index : index + 1] if np.shape(a)[:1] == (count,) else a for name, a in call.arrays.items()
    }
    return dataclasses.replace(call, arrays=arrays)


def jacobian(spec: Spec, call: Call, name: str) -> Jacobian:
    def make() -> Jacobian:
        with precision(_bits(call)):
            function, array = _oracle_of(spec, call, name)
            h = _step()
            if _is_diagonal(spec, call, name):
                column = np.asarray(_difference(function, array, h) / (2 * h), dtype=object)
                return Jacobian(np.arange(array.size), _short(_without_noise(call, column)), True)
            positions, count = coordinates(call.arrays[name]), _examples(call, name)
            columns = np.full((*function(array).shape, len(positions)), mpfr(0), dtype=object)
            for column, position in enumerate(positions):
                index, place = divmod(int(position), array.size // count)
                function, part = _oracle_of(spec, _example(call, count, index), name)
                change = _difference(function, part, _unit(part.shape, place, h)) / (2 * h)
                if count == 1:
                    columns[..., column] = change
                else:
                    columns[index, ..., column] = np.asarray(change, dtype=object)[0]
            return Jacobian(positions, _short(_without_noise(call, columns)), False)

    return kept(spec, ("jacobian", *call.key(), name), make)


def _is_diagonal(spec: Spec, call: Call, name: str) -> bool:
    """Whether each entry of the value depends on one entry of the array, the one of its own place."""
    kind, shapes = OPERATIONS[spec.name].rule.kind, {np.shape(a) for a in call.positional().values()}
    return kind == "elementwise" or (kind == "pairwise" and len(shapes) == 1)


def _of_present_classes(call: Call, name: str, derivative: Jacobian) -> Jacobian:
    """The label of a class that doesn't exist has gradient 0 by contract; the difference is infinite."""
    if name in call.operation.partners:
        return derivative
    finite = np.frompyfunc(gmpy2.is_finite, 1, 1)(derivative.columns).astype(bool)
    return Jacobian(derivative.positions, np.where(finite, derivative.columns, mpfr(0)), derivative.diagonal)


def _unit(shape: tuple[int, ...], position: int, h: mpfr) -> np.ndarray:
    step = np.full(shape, mpfr(0), dtype=object)
    step[np.unravel_index(position, shape)] = h
    return step


def _short(numbers: np.ndarray) -> np.ndarray:
    """Rounded to as many digits as are ever needed: correct ones, and small on disk."""
    with precision(VALUE_BITS):
        return np.asarray(np.frompyfunc(lambda number: +number, 1, 1)(numbers), dtype=object)


def coordinates(array: np.ndarray) -> np.ndarray:
    """Where derivatives are taken: everywhere in small arrays, at extremes and at random in large ones."""
    if array.size <= 48:
        return np.arange(array.size)
    order = np.argsort(array.ravel().astype(float), kind="stable")
    some = np.random.default_rng(array.size).permutation(array.size)
    count = 12 if array.size <= 256 else 5
    return np.unique(np.concatenate([order[:1], order[-2:], some[:count]]))


def gradient(spec: Spec, call: Call, name: str, cotangent: np.ndarray) -> tuple[np.ndarray, Reference]:
    """The gradient of sum(cotangent * value) at some entries of one array: where, and what it is there."""

    def make() -> tuple[np.ndarray, Reference]:
        derivative = jacobian(spec, call, name)
        with precision(VALUE_BITS):
            weights = exact(cotangent)
            derivative = _of_present_classes(call, name, derivative)
            if derivative.diagonal:
                result = np.asarray(weights * derivative.columns, dtype=object).ravel()
            else:
                terms = np.where(derivative.columns == 0, mpfr(0), weights[..., None] * derivative.columns)
                result = terms.reshape(-1, len(derivative.positions)).sum(axis=0, initial=mpfr(0))
            scale = _gradient_scale(spec, call, name, cotangent, result)
            return derivative.positions, Reference.of(result, scale[derivative.positions])

    return kept(spec, ("gradient", *call.key(), name, cotangent.tobytes()), make)


def gradient_scale(spec: Spec, call: Call, name: str, cotangent: np.ndarray) -> np.ndarray:
    """What the bound of a gradient by one of the partners counts in, entry by entry; 0: its own magnitude."""
    with precision(VALUE_BITS):
        return _gradient_scale(spec, call, name, cotangent, np.array([mpfr(0)]))


def _gradient_scale(
    spec: Spec, call: Call, name: str, cotangent: np.ndarray, result: np.ndarray
) -> np.ndarray:
    size = call.arrays[name].size
    if name in call.operation.partners:
        of_first = name == call.operation.partners[0]
        function = spec.gradient_scale if of_first else spec.partner_scale
        if function is None:
            return np.zeros(size)
        keywords = {**call.options, **call.exact_keywords()}
        return function(*_inputs(call), cotangent=exact(cotangent), **keywords).ravel().astype(float)
    # By labels and weights the bound is normwise: ulps of the largest entry, or of the value they weigh.
    value = np.abs(values(spec, call)[0].high)
    largest = np.max(np.where(np.isfinite(value), value, 0), initial=0.0)
    finite = [abs(float(r)) for r in result if gmpy2.is_finite(r)]
    return np.full(size, max([*finite, largest * np.abs(cotangent.astype(float)).max(initial=0.0)]))


def tangent(spec: Spec, call: Call, name: str, direction: np.ndarray) -> Reference:
    """The derivative of the value along `direction`, which is 0 outside the Jacobian's positions."""
    question = ("tangent", *call.key(), name, direction.tobytes())
    return kept(spec, question, lambda: _tangent(spec, call, name, direction))


def _tangent(spec: Spec, call: Call, name: str, direction: np.ndarray) -> Reference:
    derivative = jacobian(spec, call, name)
    with precision(VALUE_BITS):
        moves = exact(direction)
        derivative = _of_present_classes(call, name, derivative)
        own = np.zeros(call.arrays[name].size)
        if OPERATIONS[spec.name].rule.kind != "rowmap":
            # What a gradient's own bound counts in, for each entry that the value depends on.
            ones = np.ones(values(spec, call)[0].high.shape)
            own = _gradient_scale(spec, call, name, ones, np.array([mpfr(0)]))
        if derivative.diagonal:
            result = np.asarray(derivative.columns * moves, dtype=object)
            return Reference.of(
                result, np.maximum(_magnitude(result), own.reshape(result.shape) * _magnitude(moves))
            )
        stated: Any = 0.0
        if spec.tangent_scale is not None:
            keywords = {**call.options, **call.exact_keywords()}
            stated = spec.tangent_scale(*_inputs(call), tangent=moves, **keywords).astype(float)
        along = moves.ravel()[derivative.positions]
        terms = np.where(derivative.columns == 0, mpfr(0), derivative.columns * along)
        own = np.where(derivative.columns == 0, 0.0, own[derivative.positions] * _magnitude(along))
        scale = np.maximum(np.maximum(_magnitude(terms), own.astype(float)).sum(axis=-1), stated)
        return Reference.of(np.asarray(terms.sum(axis=-1, initial=mpfr(0)), dtype=object), scale)


def _magnitude(numbers: np.ndarray) -> np.ndarray:
    return np.abs(np.asarray(numbers, dtype=object).astype(float))


def hessian_product(
    spec: Spec, call: Call, name: str, cotangent: np.ndarray, direction: np.ndarray
) -> tuple[np.ndarray, Reference]:
    """The Hessian of sum(cotangent * value) by one array times `direction`, at some positions."""

    def make() -> tuple[np.ndarray, Reference]:
        with precision(_bits(call)):
            array, h = exact(call.arrays[name]), _step()
            weights, move = exact(cotangent), exact(direction)

            def curvature(part: Call, step: np.ndarray, weights: np.ndarray, move: np.ndarray) -> np.ndarray:
                function, array = _oracle_of(spec, part, name)
                along = np.where(move == 0, mpfr(0), h * move)
                ahead = _difference(function, array + along, step)
                behind = _difference(function, array - along, step)
                return np.asarray(weights * (ahead - behind) / (4 * h * h), dtype=object)

            if _is_diagonal(spec, call, name):
                everywhere = np.full(array.shape, h, dtype=object)
                positions = np.arange(array.size)
                flat = curvature(call, everywhere, weights, move).ravel()
            else:
                positions, count = coordinates(call.arrays[name]), _examples(call, name)
                flat = np.empty(len(positions), dtype=object)
                for number, position in enumerate(positions):
                    index, place = divmod(int(position), array.size // count)
                    here = slice(index, index + 1) if count > 1 else ...
                    step = _unit(move[here].shape, place, h)
                    part = _example(call, count, index)
                    flat[number] = curvature(part, step, weights[here], move[here]).sum()
            scale = np.zeros(array.size)
            of_first = name == call.operation.partners[0]
            function_of_scale = spec.second_scale if of_first else spec.partner_second_scale
            if function_of_scale is not None:
                keywords = {**call.options, **call.exact_keywords()}
                scale = function_of_scale(*_inputs(call), cotangent=weights, tangent=move, **keywords)
            flat = np.asarray(_without_noise(call, flat), dtype=object)
            return positions, Reference.of(flat, np.asarray(scale).ravel()[positions].astype(float))

    question = ("second", *call.key(), name, cotangent.tobytes(), direction.tobytes())
    return kept(spec, question, make)


__all__ = ["Exact", "Jacobian", "Reference", "gradient", "hessian_product", "jacobian", "tangent", "values"]
