"""The Array API functions that formulas get on TensorFlow: NumPy's meaning, in every mode TensorFlow has."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import gmpy2
import numpy as np
import pytest

from . import adapters

pytestmark = pytest.mark.backend("tensorflow")

MODES = ("eager", "graph", "xla")
FLOATS = ("float16", "bfloat16", "float32", "float64")
INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
NAN, INF = math.nan, math.inf


@pytest.fixture(scope="module")
def tf() -> Any:
    # Not at the top: TensorFlow must not be loaded beside torch. The adapter configures it first.
    adapters.get("tensorflow")
    import tensorflow

    return tensorflow


@pytest.fixture(scope="module")
def xp(tf: Any) -> Any:
    from uniflogits._backends import _tensorflow_namespace

    return _tensorflow_namespace


def run(tf: Any, mode: str, function: Callable[..., Any], *arrays: Any) -> Any:
    """`function` of the arrays as NumPy arrays; in a graph no dimension is known before it runs."""
    tensors = [tf.convert_to_tensor(a) for a in arrays]
    if mode != "eager":
        unknown = [tf.TensorSpec([None] * len(t.shape), t.dtype) for t in tensors]
        function = tf.function(function, input_signature=unknown, autograph=False, jit_compile=mode == "xla")
    result = function(*tensors)
    return [r.numpy() for r in result] if isinstance(result, (tuple, list)) else result.numpy()


def cast(array: Any, dtype: str) -> np.ndarray:
    if dtype == "bfloat16":
        import ml_dtypes

        return np.asarray(array).astype(ml_dtypes.bfloat16)
    return np.asarray(array).astype(dtype)


def same(ours: Any, expected: Any) -> None:
    """The same shape and the same numbers, -0 being 0 and NaN being NaN."""
    expected = np.asarray(expected)
    if expected.dtype.name == "bfloat16":  # NumPy's assertions don't know its NaN
        expected = expected.astype("float64")
    assert np.shape(ours) == expected.shape
    np.testing.assert_array_equal(np.asarray(ours).astype(expected.dtype), expected)


X = np.array([[3.0, -1.0, 2.0], [0.5, 0.5, -4.0]])
CUBE = np.arange(24.0).reshape(2, 3, 4)

# name -> (call on our namespace, the same on NumPy, arrays)
STRUCTURAL: dict[str, tuple[Callable[..., Any], Callable[..., Any], tuple[np.ndarray, ...]]] = {
    "reshape": (
        lambda xp, x: xp.reshape(x, (xp.shape(x)[1], -1)),
        lambda x: x.reshape(x.shape[1], -1),
        (CUBE,),
    ),
    "permute_dims": (lambda xp, x: xp.permute_dims(x, (2, 0, 1)), lambda x: x.transpose(2, 0, 1), (CUBE,)),
    "moveaxis": (lambda xp, x: xp.moveaxis(x, 0, -1), lambda x: np.moveaxis(x, 0, -1), (CUBE,)),
    "moveaxis two": (
        lambda xp, x: xp.moveaxis(x, (0, 1), (-1, 0)),
        lambda x: np.moveaxis(x, (0, 1), (-1, 0)),
        (CUBE,),
    ),
    "expand_dims": (lambda xp, x: xp.expand_dims(x, axis=-1), lambda x: x[..., None], (X,)),
    "squeeze": (lambda xp, x: xp.squeeze(x, (0, -1)), lambda x: x[0, :, 0], (X[:1, :, None],)),
    "broadcast_to": (
        lambda xp, x: xp.broadcast_to(x, (4, *xp.shape(x))),
        lambda x: np.broadcast_to(x, (4, *x.shape)),
        (X,),
    ),
    "broadcast_arrays": (
        lambda xp, a, b: xp.broadcast_arrays(a, b)[1],
        lambda a, b: np.broadcast_to(b, (2, 3)),
        (X, X[0]),
    ),
    "concat": (lambda xp, x: xp.concat([x, x], axis=-1), lambda x: np.concatenate([x, x], -1), (X,)),
    "stack": (lambda xp, x: xp.stack([x, x], axis=1), lambda x: np.stack([x, x], 1), (X,)),
    "flip": (lambda xp, x: xp.flip(x, axis=-1), lambda x: x[:, ::-1], (X,)),
    "flip all": (lambda xp, x: xp.flip(x), lambda x: x[::-1, ::-1], (X,)),
    "take_along_axis": (
        lambda xp, x, i: xp.take_along_axis(x, i),
        lambda x, i: np.take_along_axis(x, i, -1),
        (X, np.array([[2, 0], [1, 1]])),
    ),
    "take_along_axis first, broadcast": (
        lambda xp, x, i: xp.take_along_axis(x, i, axis=0),
        lambda x, i: np.take_along_axis(x, np.broadcast_to(i, (1, 3)), 0),
        (X, np.array([[1]])),
    ),
    "arange": (lambda xp, x: xp.arange(xp.shape(x)[0] * 2), lambda x: np.arange(4), (X,)),
    "arange steps": (lambda xp, x: xp.arange(1, 9, 3, dtype=xp.int8), lambda x: np.arange(1, 9, 3), (X,)),
    "zeros": (lambda xp, x: xp.zeros((2, xp.shape(x)[1])), lambda x: np.zeros((2, 3)), (X,)),
    "ones": (lambda xp, x: xp.ones((xp.shape(x)[0],), dtype=xp.int64), lambda x: np.ones(2), (X,)),
    "full": (lambda xp, x: xp.full((2,), 7.5, dtype=x.dtype), lambda x: np.full(2, 7.5), (X,)),
    "zeros_like": (lambda xp, x: xp.zeros_like(x), np.zeros_like, (X,)),
    "ones_like": (lambda xp, x: xp.ones_like(x, dtype=xp.bool), lambda x: np.ones_like(x, dtype=bool), (X,)),
    "full_like": (lambda xp, x: xp.full_like(x, -INF), lambda x: np.full_like(x, -INF), (X,)),
    "matmul": (lambda xp, x: xp.matmul(x, xp.permute_dims(x, (1, 0))), lambda x: x @ x.T, (X,)),
    "matmul vector": (lambda xp, x: xp.matmul(x, x[0]), lambda x: x @ x[0], (X,)),
    "matmul row": (lambda xp, x: xp.matmul(x[:, 0], x), lambda x: x[:, 0] @ x, (X,)),
    "matmul dot": (lambda xp, x: xp.matmul(x[0], x[1]), lambda x: x[0] @ x[1], (X,)),
    "argmax": (lambda xp, x: xp.argmax(x, axis=-1), lambda x: x.argmax(-1), (X,)),
    "argmax all": (lambda xp, x: xp.argmax(x, keepdims=True), lambda x: np.array([[x.argmax()]]), (X,)),
    "argmax kept": (
        lambda xp, x: xp.argmax(x, axis=0, keepdims=True),
        lambda x: x.argmax(0, keepdims=True),
        (X,),
    ),
    "cumulative_sum": (lambda xp, x: xp.cumulative_sum(x, axis=-1), lambda x: x.cumsum(-1), (X,)),
    "cumulative_sum with 0": (
        lambda xp, x: xp.cumulative_sum(x, axis=0, include_initial=True),
        lambda x: np.concatenate([x[:1] * 0, x.cumsum(0)]),
        (X,),
    ),
    "prod": (lambda xp, x: xp.prod(x, axis=-1), lambda x: x.prod(-1), (X,)),
    "mean": (lambda xp, x: xp.mean(x, axis=(0, 2)), lambda x: x.mean((0, 2)), (CUBE,)),
    "any": (lambda xp, x: xp.any(x > 2, axis=(0, 1)), lambda x: (x > 2).any((0, 1)), (CUBE,)),
    "all": (lambda xp, x: xp.all(x > 2, axis=-1, keepdims=True), lambda x: (x > 2).all(-1)[:, None], (X,)),
    "pow": (lambda xp, x: xp.pow(x, 2), np.square, (X,)),
    "pow half": (lambda xp, x: xp.pow(xp.abs(x), 1.5), lambda x: np.abs(x) ** 1.5, (X,)),
    "floor": (lambda xp, x: xp.floor(x), np.floor, (X,)),
    "atanh": (
        lambda xp, x: xp.atanh(x),
        lambda x: np.array([0.0, INF, -INF, NAN]),
        (np.array([0.0, 1.0, -1.0, 2.0]),),
    ),
    "sign": (lambda xp, x: xp.sign(x), np.sign, (X,)),
    "equal": (lambda xp, x: xp.equal(x, 0.5), lambda x: x == 0.5, (X,)),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", STRUCTURAL)
def test_means_what_numpy_means(tf, xp, name, mode) -> None:
    ours, numpys, arrays = STRUCTURAL[name]
    same(run(tf, mode, lambda *a: ours(xp, *a), *arrays), numpys(*arrays))


def test_shape_is_static_where_known(tf, xp) -> None:
    seen = []

    @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32)], autograph=False)
    def look(x: Any) -> Any:
        seen.extend(xp.shape(x))
        return xp.shape(x)[0]

    assert int(look(tf.zeros((5, 3)))) == 5
    assert seen[0].shape == () and seen[0].dtype == tf.int64
    assert seen[1] == 3 and isinstance(seen[1], int)
    assert xp.shape(tf.zeros((0, 2))) == (0, 2)


@pytest.mark.parametrize("mode", MODES)
def test_tanh_up_to_its_limits(tf, xp, mode) -> None:
    x = np.array([13.86787505189215, 17.714510949340408, 18.7, -17.8, 1.0, -0.4979, 0.0, 1e-300])
    exact = [float(gmpy2.tanh(gmpy2.mpfr(float(one)))) for one in x]
    (found,) = run(tf, mode, lambda x: [xp.tanh(x)], x)
    # 3.0 is the worst of 200 000 numbers from 0 to 20, under XLA.
    np.testing.assert_array_max_ulp(np.asarray(found), np.array(exact), 3)
    (limits,) = run(tf, mode, lambda x: [xp.tanh(x)], np.array([INF, -INF, NAN]))
    np.testing.assert_array_equal(np.asarray(limits), [1.0, -1.0, NAN])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", FLOATS)
def test_extremes_keep_nan(tf, xp, dtype, mode) -> None:
    x = np.linspace(-3, 3, 2 * 3 * 40).reshape(2, 3, 40)
    x[0, 1, 17] = NAN
    x[1, 2] = -INF
    x[1, 1, 3] = INF
    x = cast(x, dtype)
    ways = [(-1, False), (0, True), ((0, 2), False), (None, True), ((1, 2), True)]

    def every(x: Any) -> Any:
        return [f(x, axis=axis, keepdims=kept) for f in (xp.max, xp.min) for axis, kept in ways]

    wide = x.astype("float64")
    expected = [f(wide, axis=axis, keepdims=kept) for f in (np.max, np.min) for axis, kept in ways]
    for ours, numpys in zip(run(tf, mode, every, x), expected, strict=True):
        same(ours, numpys)


@pytest.mark.parametrize("mode", MODES)
def test_extremes_of_nothing(tf, xp, mode) -> None:
    empty = np.zeros((0, 3), np.float32)
    same(run(tf, mode, lambda x: xp.max(x, axis=-1, keepdims=True), empty), np.zeros((0, 1)))
    same(run(tf, mode, lambda x: xp.max(x, axis=0), empty), np.full(3, -INF))
    same(run(tf, mode, lambda x: xp.max(x, axis=-1), np.array([[1, 5, 2]])), [5])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ("maximum", "minimum"))
def test_maximum_keeps_nan_on_either_side(tf, xp, name, mode) -> None:
    x = np.array([NAN, 1.0, -1.0] * 9)
    for call in (lambda x: getattr(xp, name)(x, 0.0), lambda x: getattr(xp, name)(0, x)):
        same(run(tf, mode, call, x), getattr(np, name)(x, 0))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", ("bool", *INTEGERS))
def test_integers(tf, xp, dtype, mode) -> None:
    x = cast([[1, 0, 1], [1, 1, 1]], dtype)
    total = run(tf, mode, lambda x: xp.sum(x, axis=-1), np.repeat(x, 300, axis=-1))
    same(total, [600, 900])
    wide = {"int64": "int64", "uint64": "uint64"}.get(dtype, "uint32" if dtype[0] == "u" else "int32")
    assert total.dtype.name == wide
    same(run(tf, mode, xp.isnan, x), x < 0)
    same(run(tf, mode, xp.isfinite, x), x >= 0)
    same(run(tf, mode, lambda x: xp.sum(xp.where(xp.equal(x, 1), x, 0)), x), 5)
    same(run(tf, mode, lambda x: xp.astype(x, xp.float64), x), x)
    same(run(tf, mode, lambda x: xp.any(xp.astype(x, xp.bool), axis=0), x), [1, 1, 1])
    same(run(tf, mode, lambda x: xp.zeros_like(x), x), x * 0)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_arange_in_every_dtype(xp, dtype) -> None:
    made = xp.arange(100, dtype=getattr(xp, dtype))
    assert made.dtype.name == dtype
    same(made.numpy(), np.arange(100))


SUMMANDS: dict[str, Callable[[int], np.ndarray]] = {
    "tenths": lambda n: np.full(n, 0.1),
    "nths": lambda n: np.full(n, 1 / n),
    "lognormal": lambda n: np.exp(np.random.default_rng(0).normal(0, 8, n)),
    "falling": lambda n: np.linspace(1, 0, n),
    "signs": lambda n: np.random.default_rng(1).normal(size=n),
}


@pytest.mark.slow
@pytest.mark.parametrize("known", (True, False))
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("n", (100, 1000, 4100, 256_000))
@pytest.mark.parametrize("dtype", ("float32", "float64"))
def test_long_sums_in_eps(tf, xp, dtype, n, mode, known) -> None:
    if mode == "eager" and not known:
        return
    eps = float(np.finfo(dtype).eps)
    rows = np.stack([make(n) for make in SUMMANDS.values()]).astype(dtype)

    def total(x: Any) -> Any:
        return xp.sum(tf.ensure_shape(x, rows.shape) if known else x, axis=-1)

    ours = run(tf, mode, total, rows)
    bound = 5 if mode == "graph" and dtype == "float64" else 2
    # One row alone is compiled otherwise than several.
    alone = run(tf, mode, lambda x: xp.sum(x, axis=-1), rows[:1])
    for name, row, value in zip((*SUMMANDS, "alone"), (*rows, rows[0]), (*ours, *alone), strict=True):
        exact, size = math.fsum(row.tolist()), math.fsum(abs(row).tolist())
        # fsum itself rounds once.
        assert abs(float(value) - exact) <= (bound + 0.5) * eps * size, (
            name,
            (float(value) - exact) / (eps * size),
        )


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", ("bfloat16", "float32", "float64"))
@pytest.mark.parametrize("shape", [(2, 700), (700, 2), (2, 60, 80), (5000,), (0, 700), (2, 0)])
def test_sum_over_every_axis(tf, xp, shape, dtype, mode) -> None:
    # Eighths with a sum that bfloat16 holds, so that every order of summation is exact.
    x = cast((np.arange(math.prod(shape)).reshape(shape) % 64 == 1) / 8, dtype)
    every = tuple(range(len(shape)))
    ways = [(axis, kept) for axis in (None, *every, -1, every, every[-2:], ()) for kept in (False, True)]
    results = run(tf, mode, lambda x: [xp.sum(x, axis=axis, keepdims=kept) for axis, kept in ways], x)
    for ours, (axis, kept) in zip(results, ways, strict=True):
        assert ours.dtype == x.dtype
        same(ours, x.astype("float64").sum(axis=axis, keepdims=kept))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", ("float32", "float64"))
def test_long_sums_of_special_values(tf, xp, dtype, mode) -> None:
    x = np.ones((4, 5000), dtype)
    x[0, 4000], x[1, 7], x[2, 4999], x[3, 0], x[3, 4000] = NAN, INF, -INF, INF, -INF
    same(run(tf, mode, lambda x: xp.sum(x, axis=-1), x), [NAN, INF, -INF, NAN])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", ("float32", "float64"))
def test_derivatives_of_long_sums(tf, xp, dtype, mode) -> None:
    """Of the sum of squares: gradient 2x, and the Hessian times t is 2t, nested either way."""
    x = (np.arange(10_000) % 7 - 3.0).astype(dtype).reshape(2, 5000)
    t = (np.arange(10_000) % 5 - 2.0).astype(dtype).reshape(2, 5000)

    def gradient(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            total = xp.sum(x * x, axis=-1)
        return tape.gradient(total, x)

    def reverse_twice(x: Any, t: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            first = gradient(x)
        return first, tape.gradient(first, x, t)

    def forward_of_reverse(x: Any, t: Any) -> Any:
        with tf.autodiff.ForwardAccumulator(x, t) as accumulator:
            first = gradient(x)
        return first, accumulator.jvp(first)

    def forward(x: Any, t: Any) -> Any:
        with tf.autodiff.ForwardAccumulator(x, t) as accumulator:
            total = xp.sum(x * x, axis=-1)
        return accumulator.jvp(total)

    for nested in (reverse_twice, forward_of_reverse):
        first, second = run(tf, mode, nested, x, t)
        same(first, 2 * x)
        same(second, 2 * t)
    same(run(tf, mode, forward, x, t), (2 * x * t).sum(-1))


@pytest.mark.parametrize("dtype", ("float32", "float64"))
def test_gradient_of_a_long_sum_is_one_even_beside_infinity(tf, xp, dtype) -> None:
    x = np.ones(5000, dtype)
    x[3] = INF
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = xp.sum(x)
    same(tape.gradient(total, x).numpy(), np.ones(5000))


def test_vectorized_map(tf, xp) -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(-8, 8, (3, 4, 5000)) / 8
    x[1, 2, 5] = NAN

    def one(x: Any) -> tuple[Any, ...]:
        order = xp.argsort(x, axis=-1)
        return (
            xp.max(x, axis=-1),
            xp.sum(x, axis=-1),
            xp.mean(x),
            xp.take_along_axis(x, order, axis=-1),
            xp.cumulative_sum(x, axis=0, include_initial=True),
            xp.where(xp.isnan(x), 0, x),
        )

    results = tf.vectorized_map(one, tf.constant(x), fallback_to_while_loop=False)
    expected = (
        x.max(-1),
        x.sum(-1),
        x.mean((1, 2)),
        np.sort(x, axis=-1),
        np.concatenate([0 * x[:, :1], x.cumsum(1)], 1),
        np.where(np.isnan(x), 0, x),
    )
    expected[4][1, 0] = 0
    for ours, numpys in zip(results, expected, strict=True):
        np.testing.assert_allclose(ours.numpy(), numpys, rtol=1e-14, atol=0)


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", (*FLOATS, *INTEGERS))
@pytest.mark.parametrize("descending", (False, True))
def test_sorting(tf, xp, dtype, descending, mode) -> None:
    """Stable, both zeros equal, NaN as the largest."""
    if dtype in INTEGERS:
        limits = np.iinfo(dtype)
        x = np.array([[5, 1, limits.max, 1, 0, limits.min], [3, 3, 2, 2, 1, 1]], dtype)
    else:
        x = cast([[1.0, NAN, 0.0, -0.0, -INF, INF, -2.5, 1.0], [-0.0, 3, 2, NAN, 0.0, 3, NAN, -1]], dtype)
    # Python's sort is stable, also when reversed; NaN differs from itself.
    order = [sorted(range(len(k)), key=lambda i, k=k: (k[i] != k[i], k[i]), reverse=descending) for k in x]
    same(run(tf, mode, lambda x: xp.argsort(x, axis=-1, descending=descending), x), order)
    same(
        run(tf, mode, lambda x: xp.argsort(x, axis=0, descending=descending), x.T.copy()), np.transpose(order)
    )
    ours = run(tf, mode, lambda x: xp.sort(x, axis=-1, descending=descending), x)
    assert ours.dtype == x.dtype
    same(ours, np.take_along_axis(x, np.array(order), -1))


def test_gradient_of_sort(tf, xp) -> None:
    x = tf.constant([[3.0, 1.0, 2.0]])
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = xp.sum(xp.sort(x) * tf.constant([[1.0, 10.0, 100.0]]))
    same(tf.convert_to_tensor(tape.gradient(total, x)).numpy(), [[100, 1, 10]])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", FLOATS)
def test_where_takes_numbers_in_the_arrays_dtype(tf, xp, dtype, mode) -> None:
    x = cast([NAN, 1.0, -2.0], dtype)
    for call, expected in (
        (lambda x: xp.where(xp.isnan(x), 0.25, x), [0.25, 1, -2]),
        (lambda x: xp.where(x > 0, x, -xp.inf), [-INF, 1, -INF]),
        (lambda x: xp.where(x > 0, True, x), [NAN, 1, -2]),
    ):
        ours = run(tf, mode, call, x)
        assert ours.dtype == x.dtype
        same(ours, expected)


def test_numbers_reach_float64_unrounded(xp) -> None:
    assert float(xp.asarray(0.1, dtype=xp.float64)) == 0.1
    assert float(xp.full((), 0.1, dtype=xp.float64)) == 0.1
    assert float(xp.where(xp.asarray(True), 0.1, xp.zeros((), dtype=xp.float64))) == 0.1
    assert float(xp.add(xp.zeros((), dtype=xp.float64), 0.1)) == 0.1


def test_asarray(tf, xp) -> None:
    assert xp.asarray([1.0, 2.0]).dtype == tf.float32
    assert xp.asarray([1, 2]).dtype == tf.int32
    assert xp.asarray([True]).dtype == tf.bool
    assert xp.asarray(np.zeros(2)).dtype == tf.float64
    assert xp.asarray([True, False], dtype=xp.float64).numpy().tolist() == [1, 0]
    assert xp.asarray(2**40, dtype=xp.int64).numpy() == 2**40
    variable = tf.Variable([1.0])
    assert not isinstance(xp.asarray(variable), tf.Variable)
    writable = np.zeros(100_000)
    ours = xp.asarray(writable)
    writable[0] = 7
    assert float(ours[0]) == 0


def test_dtypes(xp) -> None:
    assert xp.isdtype(xp.bfloat16, "real floating") and not xp.isdtype(xp.bool, "numeric")
    assert xp.isdtype(xp.uint8, ("bool", "integral")) and xp.isdtype(xp.int8, xp.int8)
    assert xp.result_type(xp.float16, xp.bfloat16) == xp.float32
    assert xp.result_type(xp.int8, xp.uint8) == xp.int16
    assert xp.result_type(xp.int64, xp.float16) == xp.float16
    assert xp.result_type(xp.bool, 1) == xp.int32
    assert xp.result_type(xp.int8, 1.0) == xp.float32
    assert xp.result_type(xp.zeros((2,), dtype=xp.float64), 1.0, True) == xp.float64
    for name in ("float16", "float32", "float64"):
        ours, numpys = xp.finfo(getattr(xp, name)), np.finfo(name)
        for limit in ("bits", "eps", "smallest_normal", "min", "max"):
            assert getattr(ours, limit) == getattr(numpys, limit)
    ours = xp.finfo(xp.zeros((1,), dtype=xp.bfloat16))
    assert (ours.bits, ours.eps, ours.max) == (16, 2.0**-7, 2.0**128 - 2.0**120)
    for name in INTEGERS:
        assert (xp.iinfo(getattr(xp, name)).min, xp.iinfo(getattr(xp, name)).max) == (
            np.iinfo(name).min,
            np.iinfo(name).max,
        )


def test_an_axis_out_of_range_is_an_error(xp) -> None:
    for call in (xp.sum, xp.mean, xp.flip):
        with pytest.raises(IndexError, match="axis 2"):
            call(xp.zeros((2, 3)), axis=2)
