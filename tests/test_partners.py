"""Operations of two arrays on equal terms: two dtypes together, and the derivatives by the second array."""

from __future__ import annotations

import gmpy2
import numpy as np
import pytest
from gmpy2 import mpfr

import uniflogits as ul
from uniflogits._core.operation import OPERATIONS

from . import adapters
from .answers import Reference
from .compare import Failures
from .harness import has_autodiff, spec_of
from .oracle.numbers import as_objects, exact, precision

NAN, INF = float("nan"), float("inf")
LOG_2 = float(np.log(2))
PAIRS = [name for name, operation in OPERATIONS.items() if operation.rule.kind == "pairwise"]
backends = adapters.each()
operations = pytest.mark.parametrize("name", PAIRS)

# Inside of every domain, and numbers of every dtype.
A, B = np.asarray([[2.0, 3.0, 5.0], [1.5, 8.0, 2.5]]), np.asarray([1.0, 0.5, 2.0])
TOGETHER = {
    ("float16", "bfloat16"): "float32",
    ("float16", "float32"): "float32",
    ("bfloat16", "float32"): "float32",
    ("bfloat16", "float64"): "float64",
    ("float32", "float64"): "float64",
    # Integers never decide beside a float.
    ("float16", "int32"): "float16",
    ("float32", "int64"): "float32",
}


@backends
@operations
def test_dtypes_together(name: str, backend: str) -> None:
    """The wider float is the result's, whichever comes first; each gradient has its own array's."""
    adapter, operation = adapters.get(backend), getattr(ul, name)
    known = {*adapters.dtypes(backend), "int32", "int64"}
    for turn, ((one, other), expected) in enumerate(TOGETHER.items()):
        if not {one, other} <= known:
            continue
        orders = ((one, other), (other, one))
        # JAX compiles each: one order or the other in turn.
        for first, second in orders[turn % 2 :][:1] if backend == "jax" else orders:
            b = np.ceil(B) if "int" in one + other else B
            a = np.ceil(A) if "int" in one + other else A
            pair = adapter.array(a, first), adapter.array(b, second)
            keeps = OPERATIONS[name].keeps_dtype or expected == "float64"
            value_dtype = expected if keeps else "float32"
            cotangent = adapter.array(np.ones((2, 3)), value_dtype)
            with adapter.calling():
                result, pullback = ul.vjp(operation, *pair)
                gradients = pullback(cotangent)
                plain = operation(*pair)
                alike = operation(adapter.array(a, expected), adapter.array(b, expected))
            label = f"{first} and {second}"
            assert adapter.dtype(result) == adapter.dtype(plain) == value_dtype, label
            np.testing.assert_array_equal(adapter.to_numpy(result), adapter.to_numpy(alike), label)
            for gradient, array, dtype in zip(gradients, (a, b), (first, second), strict=True):
                if "int" not in dtype:
                    assert adapter.dtype(gradient) == dtype, label
                assert tuple(gradient.shape) == array.shape, label


# operation -> (a, b, the gradient by a, by b) of single numbers.
EDGES: dict[str, list[tuple[float, float, float, float]]] = {
    "logaddexp": [
        (-INF, -INF, 0, 0),
        (INF, INF, 0.5, 0.5),
        (INF, 2.0, 1, 0),
        (2.0, INF, 0, 1),
        (-INF, 2.0, 0, 1),
        (2.0, -INF, 1, 0),
        (1.5, 1.5, 0.5, 0.5),
        (0.0, NAN, NAN, NAN),
        (NAN, INF, NAN, NAN),
        (3e38, -3e38, 1, 0),
        (1e30, 1e30, 0.5, 0.5),
    ],
    "logsubexp": [
        (-INF, -INF, 0, 0),
        (INF, INF, NAN, NAN),
        (INF, 2.0, 1, 0),
        (2.0, -INF, 1, 0),
        (2.0, INF, NAN, NAN),
        (-INF, 2.0, NAN, NAN),
        (1.0, 2.0, NAN, NAN),
        (1.5, 1.5, INF, -INF),
        (0.0, -LOG_2, 2, -1),
        (NAN, -INF, NAN, NAN),
        (3e38, -3e38, 1, 0),
    ],
    "xlogy": [
        (0.0, 0.0, 0, 0),
        (0.0, -1.0, 0, 0),
        (0.0, 2.0, LOG_2, 0),
        (0.0, INF, INF, 0),
        (-0.0, INF, INF, 0),
        (2.0, 0.0, -INF, INF),
        (2.0, -0.0, -INF, INF),
        (2.0, -1.0, NAN, NAN),
        (0.0, NAN, NAN, NAN),
        (NAN, 2.0, NAN, NAN),
        (2.0, INF, INF, 0),
        (INF, 1.0, 0, 0),
        (INF, 2.0, LOG_2, INF),
    ],
    "xlog1py": [
        (0.0, -1.0, 0, 0),
        (0.0, -2.0, 0, 0),
        (0.0, 1.0, LOG_2, 0),
        (0.0, INF, INF, 0),
        (2.0, -1.0, -INF, INF),
        (2.0, -1.5, NAN, NAN),
        (0.0, NAN, NAN, NAN),
        (NAN, 1.0, NAN, NAN),
        (2.0, INF, INF, 0),
        (INF, 0.0, 0, 0),
        (INF, 1.0, LOG_2, INF),
    ],
}


@backends
@pytest.mark.parametrize("name", list(EDGES))
def test_gradients_at_the_edge(name: str, backend: str) -> None:
    """By both arrays, in closed form and by the library's own autodiff."""
    adapter, operation = adapters.get(backend), getattr(ul, name)
    a, b, by_a, by_b = (np.asarray(column, np.float32) for column in zip(*EDGES[name], strict=True))
    pair, cotangent = [adapter.array(a), adapter.array(b)], adapter.array(np.ones_like(a))
    with adapter.calling():
        found = {"closed form": ul.vjp(operation, *pair)[1](cotangent)}
    if has_autodiff(backend):
        found |= adapter.gradients(operation, pair, cotangent, [0, 1])
    for mode, gradients in found.items():
        for gradient, expected in zip(gradients, (by_a, by_b), strict=True):
            np.testing.assert_allclose(adapter.to_numpy(gradient), expected, 1e-6, 0, err_msg=mode)


@backends
@operations
def test_nothing_together(name: str, backend: str) -> None:
    """Empty arrays broadcast too; the gradient of what met nothing is 0."""
    adapter = adapters.get(backend)
    pair = adapter.array(np.ones((0, 3)), "float32"), adapter.array(np.ones(3), "float32")
    with adapter.calling():
        value, pullback = ul.vjp(getattr(ul, name), *pair)
        by_a, by_b = pullback(adapter.array(np.ones((0, 3)), "float32"))
    assert tuple(value.shape) == tuple(by_a.shape) == (0, 3)
    np.testing.assert_array_equal(adapter.to_numpy(by_b), np.zeros(3))


# Multiples of 1/8, so that float32 holds them: cotangent, and a direction of either array.
CT, T, U = np.asarray([[2.0, -0.5, 3.0], [0.25, 1.5, -4.0]]), 1.0 + A / 8, np.asarray([-0.5, 3.0, 1.25])


@backends
@operations
def test_tangents_together(name: str, backend: str) -> None:
    """Both arrays move, or one of them: the tangent has the shape of the value in any case."""
    adapter, operation, oracle = adapters.get(backend), getattr(ul, name), spec_of(name).oracle
    pair, directions = ([adapter.array(one, "float32") for one in two] for two in ((A, B), (T, U)))
    tolerance = spec_of(name).tolerance.gradient * 2.0**-23
    for moving in ((True, True), (True, False), (False, True)):
        with precision(700):
            step = gmpy2.div_2exp(mpfr(1), 170)
            along = [step * exact(one) * moves for one, moves in zip((T, U), moving, strict=True)]
            ends = [oracle(exact(A) + s * along[0], exact(B) + s * along[1]).value for s in (1, -1)]
            expected = np.asarray((ends[0] - ends[1]) / (2 * step)).astype(float)
        tangents = tuple(one if moves else None for one, moves in zip(directions, moving, strict=True))
        with adapter.calling():
            _, found = ul.jvp(operation, tuple(pair), tangents)
        assert tuple(found.shape) == A.shape
        # The sum of two terms cancels here and there.
        np.testing.assert_allclose(adapter.to_numpy(found), expected, tolerance, 8 * tolerance)


@backends
@operations
def test_mixed_second_derivative(name: str, backend: str) -> None:
    """How the gradient by the first array moves with the second, as vjp and jvp of grad give it."""
    adapter, gradient = adapters.get(backend), ul.grad(getattr(ul, name))
    by_aa, by_ab = (
        _second_difference(name, A, np.broadcast_to(B, A.shape), first).astype(float)
        for first in (True, False)
    )
    a, b, ct, t, u = (adapter.array(one, "float32") for one in (A, B, CT, T, U))
    with adapter.calling():
        _, forward = ul.jvp(gradient, (a, b), (None, u), cotangent=ct)
        _, together = ul.jvp(gradient, (a, b), (t, u), cotangent=ct)
        back_a, back_b = ul.vjp(gradient, a, b, cotangent=ct)[1](t)
    bound = spec_of(name).tolerance.second * 2.0**-23
    size = bound * np.abs([by_aa, by_ab]).max() * 64
    for found, expected, absolute in (
        (forward, by_ab * CT * U, 1e-37),
        (together, (by_aa * T + by_ab * U) * CT, size),
        (back_a, by_aa * CT * T, 1e-37),
        (back_b, (by_ab * CT * T).sum(0), size),
    ):
        assert tuple(found.shape) == expected.shape
        np.testing.assert_allclose(adapter.to_numpy(found), expected, bound, absolute)


@adapters.each(*filter(has_autodiff, adapters.NAMES))
@operations
def test_mixed_second_derivative_by_autodiff(name: str, backend: str) -> None:
    """How the gradient by the second array moves with the first, which no closed form gives."""
    adapter, op = adapters.get(backend), getattr(ul, name)
    b = np.broadcast_to(B, A.shape)
    both, along = (adapter.array(np.stack(two), "float64") for two in ((A, b), (T, np.zeros_like(T))))
    with precision(700):
        expected = Reference.of(_second_difference(name, A, b, False) * exact(CT * T))
    products = adapter.hessian_products(
        lambda both: op(both[0], both[1]), both, (), adapter.array(CT, "float64"), along
    )
    failures = Failures(f"{name} float64 on {backend}")
    for mode, product in products.items():
        by_b = adapter.to_numpy(product)[1]
        failures.compare(mode, by_b, [expected], "float64", spec_of(name).tolerance.second)
    failures.finish()


def _second_difference(name: str, a: np.ndarray, b: np.ndarray, first: bool) -> np.ndarray:
    """The derivative by a twice, or by a and b."""
    oracle = spec_of(name).oracle
    with precision(700):
        step = gmpy2.div_2exp(mpfr(1), 170)
        x, y = exact(a), exact(b)
        if first:
            terms = [weight * oracle(x + s * step, y).value for s, weight in ((1, 1), (0, -2), (-1, 1))]
            return as_objects(sum(terms).ravel() / (step * step), a.shape)
        corners = [s * t * oracle(x + s * step, y + t * step).value for s in (1, -1) for t in (1, -1)]
        return as_objects(sum(corners).ravel() / (4 * step * step), a.shape)


@backends
def test_logsubexp_bends_where_the_difference_is_rounded(backend: str) -> None:
    """-1 / (4 sinh²(d/2)) of the exact difference, which e^-d is sensitive to, and -inf where it is 0."""
    rng = np.random.default_rng(2)
    a = rng.uniform(20, 40, size=64).astype(np.float32)
    b = -rng.uniform(5, 20, size=64).astype(np.float32)
    adapter, gradient = adapters.get(backend), ul.grad(ul.logsubexp)
    with precision(300):
        halves = [gmpy2.sinh((mpfr(float(x)) - mpfr(float(y))) / 2) for x, y in zip(a, b, strict=True)]
        expected = np.asarray([float(-1 / (4 * half * half)) for half in halves])
    pair, ones = (adapter.array(a), adapter.array(b)), adapter.array(np.ones_like(a))
    with adapter.calling():
        _, found = ul.jvp(gradient, pair, (ones, None))
        _, equal = ul.jvp(gradient, (pair[0], pair[0]), (ones, None))
    tolerance = spec_of("logsubexp").tolerance.second * 2.0**-23
    np.testing.assert_allclose(adapter.to_numpy(found), expected, tolerance, 1e-37)
    np.testing.assert_array_equal(adapter.to_numpy(equal), -INF)


STILL = [
    ("logaddexp", INF, INF),
    ("logaddexp", -INF, -INF),
    ("logsubexp", -INF, -INF),
    ("xlogy", 0.0, 0.0),
    ("xlogy", 0.0, -1.0),
    ("xlog1py", 0.0, -1.0),
    ("xlog1py", 0.0, -2.0),
]


@adapters.each("numpy", "strict")
@pytest.mark.parametrize(("name", "a", "b"), STILL)
def test_nothing_bends_where_nothing_depends_on_the_arrays(
    name: str, a: float, b: float, backend: str
) -> None:
    adapter, gradient = adapters.get(backend), ul.grad(getattr(ul, name))
    pair, one = (adapter.array(np.asarray(a)), adapter.array(np.asarray(b))), adapter.array(np.asarray(1.0))
    with adapter.calling():
        bent = ul.vjp(gradient, *pair)[1](one)
    np.testing.assert_array_equal([adapter.to_numpy(by) for by in bent], [0.0, 0.0])
