"""Rows know nothing of each other: one alone, and rows along several axes, give what a matrix gives.

Values and all derivatives, on the libraries whose formulas run as they are written.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import uniflogits as ul
from uniflogits._core.operation import OPERATIONS

from . import adapters
from .harness import Cell

NAN, INF = float("nan"), float("inf")
ROWS, CLASSES = 6, 5
# What is one number, vector or matrix for all rows.
SHARED = ("weight", "bias", "class_weights", "pos_weight")
NUMBERS = {"label_smoothing": 0.125, "z_loss": 0.125, "gamma": 2.0, "softcap": 3.0}
backends = adapters.each("numpy", "strict")


def _arrays(name: str) -> dict[str, np.ndarray]:
    """Arrays and options of every role, (rows, ...)."""
    rng = np.random.default_rng(11)
    x = 3 * rng.normal(size=(2, ROWS, CLASSES))
    x[0, 1] += [0, 40, 0, 0, 0]
    shares = np.exp(x[1]) / np.exp(x[1]).sum(-1, keepdims=True)
    made = {
        "weight": rng.normal(size=(CLASSES, CLASSES)),
        "bias": rng.normal(size=CLASSES),
        "class_weights": rng.uniform(0.5, 2, size=CLASSES),
        "pos_weight": rng.uniform(0.5, 2, size=CLASSES),
        "where": rng.random((ROWS, CLASSES)) < 0.8,
        "weights": rng.uniform(0.5, 2, size=ROWS),
    }
    operation = OPERATIONS[name]
    integers = "integer" in name or name in ("linear_cross_entropy", "softmax_focal_loss")
    made["labels"] = rng.integers(0, CLASSES, size=ROWS) if integers else shares
    if operation.rule.kind not in ("loss", "linear_loss") or name.startswith("sigmoid"):
        made["weights"] = rng.uniform(0.5, 2, size=(ROWS, CLASSES))
    for i, argument in enumerate(operation.arrays):
        if argument not in made:
            made[argument] = x[i] if operation.rule.kind != "elementwise" else shares
    if operation.rule.kind == "pairwise" and "logits" not in operation.arrays[0]:
        made |= dict(zip(operation.arrays, (1.5 + shares, shares), strict=True))
    return {name: made[name] for name in (*operation.arrays, *operation.array_options) if name in made}


def _cotangent(shape: tuple[int, ...], row: int | None) -> np.ndarray:
    """That of the matrix, in whatever shape; or that of one of its rows."""
    size = int(np.prod(shape, dtype=int))
    return np.sin(1.0 + np.arange(size) + (row or 0) * size).reshape(shape)


def _found(
    backend: str, name: str, given: dict[str, np.ndarray], options: dict[str, Any], part: int | None = None
) -> list[Any]:
    """Value, gradients, tangent and second derivatives."""
    adapter, operation = adapters.get(backend), OPERATIONS[name]
    public = getattr(ul, name)
    native = {key: adapter.array(value) for key, value in given.items()}
    arrays = tuple(native[key] for key in operation.arrays)
    options = options | {key: native[key] for key in operation.array_options if key in native}
    directions = tuple(
        adapter.array(np.cos(given[key])) if given[key].dtype.kind == "f" else None
        for key in operation.arrays
    )
    with adapter.calling():
        value, pullback = ul.vjp(public, *arrays, **options)
        cotangent = adapter.array(_cotangent(tuple(value.shape), part))
        found = [value, *pullback(cotangent), ul.jvp(public, arrays, directions, **options)[1]]
        if operation.rule.second_order:
            gradient = ul.grad(public)
            _, again = ul.vjp(gradient, *arrays, cotangent=cotangent, **options)
            found += [again(directions[0])[0]]
            found += [ul.jvp(gradient, arrays, directions, cotangent=cotangent, **options)[1]]
    return [None if one is None else adapter.to_numpy(one) for one in found]


@backends
@pytest.mark.parametrize("alpha", [1.1, 1.25, 1.75, 2.0, 3.0])
def test_rows_of_entmax(alpha: float, backend: str) -> None:
    """Every form of its formula."""
    test_rows_of_any_number_of_axes("entmax", True, backend, {"alpha": alpha})


@backends
def test_rows_summed_from_the_end(backend: str) -> None:
    test_rows_of_any_number_of_axes("cumulative_logsumexp", True, backend, {"reverse": True})


@backends
@pytest.mark.parametrize("plain", [True, False], ids=["plain", "options"])
@pytest.mark.parametrize("name", list(OPERATIONS))
def test_rows_of_any_number_of_axes(
    name: str, plain: bool, backend: str, more: dict[str, Any] | None = None
) -> None:
    operation, given = OPERATIONS[name], _arrays(name)
    options = {**Cell("dimensions", name, backend, "float64").required, **(more or {})}
    if plain:
        given = {key: value for key, value in given.items() if key in operation.arrays}
    else:
        options |= {key: value for key, value in NUMBERS.items() if key in operation.options}
    matrix = _found(backend, name, given, options)
    rows = {key: value for key, value in given.items() if key not in SHARED}
    cube = {key: value.reshape(2, 3, *value.shape[1:]) for key, value in rows.items()}
    alone = {key: value[1] for key, value in rows.items()}
    folded = _found(backend, name, given | cube, options)
    single = _found(backend, name, given | alone, options, 1)
    for expected, in_cube, in_row in zip(matrix, folded, single, strict=True):
        if expected is None:
            assert in_cube is None and in_row is None
        elif expected.shape[:1] != (ROWS,):  # what all rows share has its gradient from all of them
            _same(in_cube, expected)
        else:
            _same(in_cube, expected.reshape(2, 3, *expected.shape[1:]))
            _same(in_row, expected[1])


def _same(answer: np.ndarray, expected: np.ndarray) -> None:
    assert np.shape(answer) == np.shape(expected)
    # Ours both, and no digit lost: only that sums along other strides are taken in another order.
    np.testing.assert_allclose(answer, expected, 1e-13, 1e-15)


# Rows at the edges, of three classes; those in which a +inf takes all no longer bend.
EDGES = np.asarray(
    [
        [0.0, -INF, 0.5],
        [-INF, -INF, -INF],
        [INF, 0.0, 1.0],
        [INF, 0.5, INF],
        [0.25, INF, -INF],
        [NAN, 0.0, 1.0],
        [0.0, 60.0, 1.0],
        [-INF, 2.0, -INF],
        [1.0, 2.0, 2.0],
    ]
)
ON_ROWS = [
    name
    for name, operation in OPERATIONS.items()
    if operation.rule.kind not in ("elementwise", "pairwise", "linear_loss") and "sigmoid" not in name
]
SUMMED = [name for name in ON_ROWS if OPERATIONS[name].rule.kind in ("reduction", "divergence")]
WEIGHTS = np.asarray([[1.0, 0.5, 2.0], [0.5, 2.0, 1.0], [-1.0, 3.0, 0.0]] * 3)


def _edge_arrays(name: str) -> list[np.ndarray]:
    given = {"labels": np.full((len(EDGES), 3), [0.5, 0.25, 0.25]), "q_logits": np.roll(EDGES, 2, axis=0)}
    if "integer" in name or name == "softmax_focal_loss":
        given["labels"] = np.arange(len(EDGES)) % 3
    return [given.get(argument, EDGES) for argument in OPERATIONS[name].arrays]


@adapters.each("numpy", "torch")
@pytest.mark.parametrize("name", ON_ROWS)
def test_rows_at_the_edge_know_nothing_of_each_other(name: str, backend: str) -> None:
    bent = _check_edges(backend, name, _edge_arrays(name), {})
    if bent is not None:
        np.testing.assert_array_equal(bent[2:5], 0.0)


@adapters.each("numpy", "torch")
def test_weighed_rows_at_the_edge_know_nothing_of_each_other(backend: str) -> None:
    _check_edges(backend, "logsumexp", [EDGES], {"weights": WEIGHTS})
    # In some rows one entry outweighs all others, and in others none does.
    _check_edges(backend, "logsumexp", [np.log(np.arange(1.0, 28.0)).reshape(9, 3)], {"weights": WEIGHTS**5})
    # All others of the first two are nothing, which the third's must not hide.
    ahead = np.asarray([[0.0, -40.0, -41.0], [-50.0, 0.0, -45.0], [0.0, 0.5, 0.25]])
    _check_edges(backend, "logsumexp", [ahead], {"weights": np.asarray([[1.0, 2.0, 1.0]] * 3)})


@adapters.each()
@pytest.mark.parametrize("name", SUMMED)
def test_rows_without_classes(name: str, backend: str) -> None:
    """Each is what one alone is, and nothing has derivatives of its own shape and dtype."""
    adapter, public, count = adapters.get(backend), getattr(ul, name), len(OPERATIONS[name].arrays)
    rows = (adapter.array(np.zeros((2, 3, 0), np.float32)),) * count
    row = (adapter.array(np.zeros((1, 0), np.float32)),) * count
    with adapter.calling():
        alone = adapter.to_numpy(public(*row))
        value, pullback = ul.vjp(public, *rows)
        ones = adapter.array(np.ones((2, 3), np.float32))
        found = [*pullback(ones)]
        if OPERATIONS[name].rule.second_order:
            gradient = ul.grad(public)
            found += [*ul.vjp(gradient, *rows, cotangent=ones)[1](rows[0])]
            found += [ul.jvp(gradient, rows, rows, cotangent=ones)[1]]
    np.testing.assert_array_equal(adapter.to_numpy(value), np.full((2, 3), alone[0]), strict=True)
    for nothing in found:
        assert (tuple(nothing.shape), adapter.dtype(nothing)) == ((2, 3, 0), "float32")


def _check_edges(backend: str, name: str, arrays: list[np.ndarray], rows: dict[str, np.ndarray]) -> Any:
    """Value and derivatives of all rows together are those of each; gives the second ones, if there are."""
    adapter, public = adapters.get(backend), getattr(ul, name)
    required = dict(Cell("dimensions", name, backend, "float64").required)

    def ask(some: slice) -> dict[str, np.ndarray]:
        native = [adapter.array(array[some]) for array in arrays]
        options = required | {option: adapter.array(array[some]) for option, array in rows.items()}
        along = adapter.array(np.ones(arrays[0][some].shape) * [1.0, -2.0, 0.5])
        with adapter.calling():
            value, pullback = ul.vjp(public, *native, **options)
        ones = adapter.array(np.ones(tuple(value.shape)))
        found = {"value": value}
        with adapter.calling():
            found["closed form"] = pullback(ones)[0]
            others = (None,) * (len(native) - 1)
            found["forward"] = ul.jvp(public, tuple(native), (along, *others), **options)[1]
            if OPERATIONS[name].rule.second_order:
                gradient = ul.grad(public)
                found["bent"] = ul.vjp(gradient, *native, cotangent=ones, **options)[1](along)[0]
        found |= {
            mode: by[0]
            for mode, by in adapter.gradients(lambda *a: public(*a, **options), native, ones, [0]).items()
        }
        return {mode: adapter.to_numpy(one) for mode, one in found.items()}

    together = ask(slice(None))
    for row in range(len(arrays[0])):
        alone = ask(slice(row, row + 1))
        for mode, expected in alone.items():
            # As in _same.
            np.testing.assert_allclose(
                together[mode][row], expected[0], 1e-13, 1e-15, err_msg=f"{mode} {row}"
            )
    return together.get("bent")
