"""KL by formulas that are good in most rows, and which rows they leave to the exact one.

One array holds rows of every kind, in each block that a library takes it in: all must be as exact as alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import uniflogits as ul
from uniflogits._backends import find_backend
from uniflogits._core.row_rules import Quick
from uniflogits.divergences import _kl_divergence as kl

from . import adapters
from .answers import Reference
from .compare import Failures
from .oracle import kl_divergence as oracle
from .oracle.numbers import VALUE_BITS, precision
from .tolerances import TOLERANCES

INF, NAN = float("inf"), float("nan")
EAGER = ("numpy", "torch")
COMPILED = ("jax", "tensorflow")
every = adapters.each(*EAGER, *COMPILED, "strict", argument="name")


def _rows() -> tuple[list[str], np.ndarray, np.ndarray]:
    """What each row is, and logits of p and q: float32 with six classes."""
    rng = np.random.default_rng(11)
    found: list[tuple[str, Any, Any]] = []

    def add(what: str, p: Any, q: Any) -> None:
        found.append((what, np.asarray(p, np.float32), np.asarray(q, np.float32)))

    for _ in range(4):
        base = rng.normal(size=6)
        add("apart", base, rng.normal(size=6))
        # KL around 2^-18, where float64 no longer is enough, and far below.
        for power in (-4, -7, -8, -9, -10, -14, -20, -23):
            add(f"near 2^{power}", base, base + 2.0**power * rng.normal(size=6))
        for offset in (3.7, 100.0, 1e4, -700.0):
            add(f"apart by {offset}", base, rng.normal(size=6) + offset)
            add(f"near but for {offset}", base, base + 2.0**-9 * rng.normal(size=6) + offset)
        # The first class far behind or ahead of all others: exponentials beyond float64, and next to that.
        for first in (-708.0, -711.0, -800.0, 720.0, 800.0):
            add(f"first at {first}", np.r_[first, base[1:]], np.r_[first, rng.normal(size=5)])
            add(f"first at {first} in q", base, np.r_[first, rng.normal(size=5)])
            add(f"first at {first} in p", np.r_[first, base[1:]], rng.normal(size=6))
        for both in (708.0, 720.0, -360.0, -738.0, -900.0, 1e30):
            add(f"apart around {both}", both + base, both + rng.normal(size=6))
        add("p alone at -738", base - 738, rng.normal(size=6))
        add("q alone at -738", base, rng.normal(size=6) - 738)
        for both in (-360.0, -730.0):
            add(f"far behind, {both}", both + 20 * base, both + 20 * rng.normal(size=6))
        # Confident ones.
        lead = np.r_[base[:5], 40.0]
        add("confident alike", lead, lead + 2.0**-6 * rng.normal(size=6))
        add("confident apart", lead, lead[::-1])
        add("one confident", lead, base)
        # So confident that less is left to differ in than float32 has, or float64, or next to nothing.
        for ahead in (45.0, 60.0, 75.0, 86.0, 300.0, 640.0, 700.0):
            lead = np.r_[base[:5], ahead]
            add(f"ahead by {ahead}", lead, lead + 3 * rng.normal(size=6))
        # Classes that both lack, or one.
        holes = np.r_[base[:4], -INF, -INF]
        add("both lack", holes, np.r_[rng.normal(size=4), -INF, -INF])
        add("both lack, near", holes, holes + 2.0**-11)
        add("both lack, near", holes, np.r_[holes[:4] + 2.0**-11 * rng.normal(size=4), -INF, -INF])
        add("p lacks", holes, base)
        add("q lacks", base, holes)
        add("both lack one more", np.r_[base[:3], -INF, 1.0, -INF], holes)
        add("p lacks nearly nothing", np.r_[base[:5], -INF], np.r_[base[:5], -20.0])
        for far in (-3e38, -1e9, -2e4):
            add(f"finite masks {far}", np.r_[base[:4], far, far], np.r_[rng.normal(size=4), far, far / 2])
            add(f"q at {far}", base, np.r_[base[:5], far])
            # p's share of it is nothing in float32, or in float64, and yet what it costs may be something.
            ahead = np.r_[np.round(base[:4]), 3.0, 0.0]
            add(f"q at {far}, p behind", ahead - [0, 0, 0, 0, 0, 90], np.r_[base[:5], far])
            add(f"q at {far}, p behind", ahead - [0, 0, 0, 0, 0, 90] - 300, np.r_[base[:5], far])
        add("q lacks, p behind", np.r_[base[:5], -800.0], np.r_[base[:5], -INF])
        add("q lacks, p far behind", np.r_[base[:5], -2e4], np.r_[base[:5], -INF])
        add("equal", base, base)
    zero = np.zeros(6)
    add("zeros", zero, zero)
    add("p empty", zero - INF, zero)
    add("q empty", zero, zero - INF)
    add("both empty", zero - INF, zero - INF)
    add("NaN in p", np.r_[NAN, zero[1:]], zero)
    add("NaN in q", zero, np.r_[zero[1:], NAN])
    add("NaN beside nothing", zero - INF, np.r_[NAN, zero[1:]])
    add("infinity in p", np.r_[zero[1:], INF], zero)
    add("infinity in q", zero, np.r_[zero[1:], INF])
    add("infinity in both", np.r_[zero[1:], INF], np.r_[zero[1:] + 1, INF])
    what, p, q = zip(*found, strict=True)
    return list(what), np.stack(p), np.stack(q)


@every
@pytest.mark.parametrize("together", [False, True])
def test_rows_of_every_kind(name: str, together: bool) -> None:
    _compare(name, ul.kl_divergence, together)


@adapters.each("tensorflow", argument="name")
def test_rows_of_every_kind_in_xla(name: str) -> None:
    """No shape may depend on data there, least of all that of a long sum: rows of a block go on together."""
    import tensorflow as tf

    _compare(name, tf.function(ul.kl_divergence, jit_compile=True), together=True, classes=600)


@adapters.each(*EAGER, *COMPILED, argument="name")
def test_rows_along_several_axes(name: str) -> None:
    found = _compare(name, ul.kl_divergence, together=True, lead=(2,))
    if name in EAGER:
        np.testing.assert_array_equal(found, _compare(name, ul.kl_divergence, together=True))
    # Fewer than one block, which nothing lays out anew, and ordinary: others would have all take another way.
    adapter = adapters.get(name)
    p, q = np.random.default_rng(12).normal(size=(2, 2, 5, 6)).astype(np.float32)
    with adapter.calling():
        found = adapter.to_numpy(ul.kl_divergence(adapter.array(p), adapter.array(q)))
    failures, row = Failures(f"kl_divergence float32 on {name}"), TOLERANCES["kl_divergence"]
    failures.compare("ordinary", found, [_exact(p, q)], "float32", row.value, row.dagger)
    failures.finish()


def _exact(p: np.ndarray, q: np.ndarray) -> Reference:
    with precision(VALUE_BITS):
        return Reference.of(oracle(p, q).value)


def _of_row(answers: Reference, i: int) -> list[Reference]:
    return [Reference(*(part[[i]] for part in (answers.high, answers.low, answers.scale)))]


def _compare(
    name: str,
    kl_divergence: Callable[..., Any],
    together: bool,
    classes: int = 6,
    lead: tuple[int, ...] = (),
) -> np.ndarray:
    """What it gives for all rows, within the bound; further classes are such that both lack."""
    adapter, row = adapters.get(name), TOLERANCES["kl_divergence"]
    what, p, q = _rows()
    expected = _exact(p, q)
    p, q = (np.pad(x, ((0, 0), (0, classes - 6)), constant_values=-INF) for x in (p, q))
    order = np.arange(len(p))
    if together:
        # As many rows as a library takes in several blocks, in an order that mixes them.
        order = np.random.default_rng(3).permutation(np.tile(order, 2 * -(-3 * (1 << 16) // p.size)))
    with adapter.calling():
        found = [
            adapter.to_numpy(
                kl_divergence(*(adapter.array(x[rows].reshape(*lead, -1, classes)) for x in (p, q)))
            )
            for rows in ([order] if together else order[:, None])
        ]
    found = np.concatenate(found, axis=None)
    assert not (found < 0).any()
    failures = Failures(f"kl_divergence float32 on {name}")
    # In float64 a row's rounding of x - m is nothing.
    dagger = row.dagger and name not in EAGER
    for place in range(len(p)):
        same = found[order == place]
        if np.isnan(expected.high[place]):
            assert np.isnan(same).all(), what[place]
            continue
        one = _of_row(expected, place)
        for value in np.unique(same):
            failures.compare(what[place], np.asarray([value]), one, "float32", row.value, dagger, 1024.0)
    failures.finish()
    return found


def test_quick_formulas_are_good_for_ordinary_rows() -> None:
    rng = np.random.default_rng(4)
    xp = find_backend(np.ndarray, np.zeros(1)).xp
    a, noise = 3 * rng.normal(size=(2, 1000, 7))
    confident = a + rng.uniform(20, 300, size=(1000, 1)) * (a == a.max(axis=-1, keepdims=True))
    for quick, logits, apart in (
        (kl._of_float32, a, 1.0),
        (kl._of_float32, a, 2.0**-4),
        (kl._of_float32, confident, 1.0),
        (kl._of_most, a, 1.0),
        (kl._of_most, a, 2.0**-20),
    ):
        _, good = quick(xp, logits, logits + apart * noise)
        assert good.mean() > 0.98


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_is_said_to_be_good_is(dtype: str) -> None:
    """In the dtype itself: of float32 TensorFlow and NumPy make float64 first."""
    what, p, q = _rows()
    near = np.random.default_rng(5).normal(size=(40, 6))
    # Differences of a few ulp, where what rounding adds to all of them alike would count.
    nearer = near + np.exp2(-np.arange(40.0)[:, None] - 10) * near[:, ::-1]
    p, q = (np.concatenate(pair).astype(dtype) for pair in ((p, near), (q, nearer)))
    what = [*what, *(f"near {i}" for i in range(40))]
    with np.errstate(all="ignore"):
        value, good = kl._of_most(find_backend(np.ndarray, np.zeros(1)).xp, p, q)
    assert good.sum() > 150
    row, failures = TOLERANCES["kl_divergence"], Failures(f"kl_divergence {dtype}")
    expected = _exact(p, q)
    for i in np.flatnonzero(good):
        failures.compare(what[i], value[[i]], _of_row(expected, i), dtype, row.value, row.dagger, 1024.0)
    failures.finish()


def _underflowing() -> tuple[np.ndarray, np.ndarray]:
    """Rows whose cost is in part that of 4000 classes whose p is subnormal in float32, or nearly."""
    p = np.full((2, 4002), -102.95, np.float32)
    p[0, :2], p[1, :2], p[1, 2:] = (0, -86), (0, -66), -87.5
    q = np.where(np.arange(4002) == 0, np.float32(0), -np.asarray([[1e10], [1e30]], np.float32))
    return p, q


@every
def test_probabilities_that_underflow(name: str) -> None:
    adapter, row = adapters.get(name), TOLERANCES["kl_divergence"]
    p, q = _underflowing()
    with adapter.calling():
        found = adapter.to_numpy(ul.kl_divergence(adapter.array(p), adapter.array(q)))
    failures = Failures(f"kl_divergence float32 on {name}")
    dagger = row.dagger and name not in EAGER
    failures.compare("underflow", found, [_exact(p, q)], "float32", row.value, dagger)
    failures.finish()


def test_probabilities_that_underflow_are_left_to_the_exact_formula() -> None:
    """Which is right where XLA makes 0 of them, too."""
    xp = find_backend(np.ndarray, np.zeros(1)).xp
    with np.errstate(all="ignore"):
        _, good = kl._of_most(xp, *_underflowing())
    assert not good.any()


def _stub(number: float, least: float) -> Any:
    """A formula that gives this number, and is good where the row's first entry is as large."""

    def formula(xp: Any, a: Any, b: Any) -> Any:
        first = a[..., 0]
        return 0.0 * first + number, first >= least

    return formula


@adapters.each(*EAGER, *COMPILED, argument="name")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_quickest_formula_that_is_good_is_taken(name: str, dtype: str) -> None:
    adapter = adapters.get(name)
    xp = _namespace(adapter)
    quick, rows = Quick(_stub(1.0, 2.0), _stub(2.0, 1.0)), np.zeros((3, 4), dtype)

    def sift(first: list[float]) -> np.ndarray:
        rows[:, 0] = first
        with adapter.calling():
            a = adapter.array(rows)
            return adapter.to_numpy(xp.sift(quick, lambda a, b: 0.0 * a[..., 0] + 3.0, a, a)).astype(float)

    # Of float64 NumPy and torch know nothing better than the exact formula; by default JAX has no float64.
    less, least = (3, 3) if name in EAGER else (2, 2)
    if dtype == "float32" and name != "jax":
        less, least = 2, 1
    np.testing.assert_array_equal(sift([0, 1, 2]), [3, less, least])
    np.testing.assert_array_equal(sift([1, 2, 1]), [less, least, less])
    np.testing.assert_array_equal(sift([2, 2, 2]), [least, least, least])


def _namespace(adapter: Any) -> Any:
    like = adapter.array(np.zeros(1))
    backend = find_backend(type(like), like)
    assert backend is not None
    return backend.xp
