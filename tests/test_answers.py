"""The committed answers are the oracle's: a part of them is asked for again in every run."""

from __future__ import annotations

import gmpy2
import numpy as np
import pytest
from gmpy2 import mpfr

from uniflogits._core.operation import OPERATIONS

from . import answers, exact
from .answers import Reference, pack, unpack
from .call import make_call
from .harness import Cell, random_like

pytestmark = pytest.mark.backend("numpy")


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_part_is_found_again(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Another part in every run; the text of a failure says which."""
    rng = np.random.default_rng()
    dtype = str(rng.choice(["float32", "float64"]))
    cell = Cell("gradient", name, "numpy", dtype)
    samples = [sample for sample in cell.samples() if not sample.values_only]
    sample = samples[rng.integers(len(samples))]
    call, array = make_call(name, sample, dtype), cell.op.arrays[0]
    shape = exact.values(cell.spec, call)[0].high.shape
    cotangent = random_like(shape, call.result_dtype, name, sample.id)
    before = exact.values(cell.spec, call), exact.gradient(cell.spec, call, array, cotangent)
    monkeypatch.setattr(answers, "committed", dict)
    monkeypatch.setattr(answers, "CACHE", tmp_path_factory.mktemp("answers"))
    after = exact.values(cell.spec, call), exact.gradient(cell.spec, call, array, cotangent)
    what = f"{name}, {dtype}, {sample.id}"
    for old, new in zip(before[0], after[0], strict=True):
        _check_same(old, new, f"{what}: value")
    np.testing.assert_array_equal(before[1][0], after[1][0], what)
    _check_same(before[1][1], after[1][1], f"{what}: gradient")


def _check_same(kept: Reference, made: Reference, what: str) -> None:
    np.testing.assert_array_equal(kept.high, made.high, what)
    finite = np.isfinite(made.high)
    apart = np.abs(kept.low - made.low)[finite]
    assert (apart <= 2**-11 * np.spacing(np.abs(made.high[finite]))).all(), what
    np.testing.assert_allclose(kept.scale, made.scale, rtol=2**-23, err_msg=what)


def test_what_is_packed_comes_back() -> None:
    with gmpy2.context(precision=300):
        third = np.asarray(
            [[mpfr(1) / 3, mpfr(0)], [gmpy2.inf(), gmpy2.nan()], [mpfr("1e-400"), -mpfr(2) / 3]]
        )
        reference = Reference.of(third, np.asarray([[0.0, 1.0], [np.inf, 3e300], [1e-300, 0.1]]))
    scalar = Reference.of(np.asarray(mpfr(2), dtype=object))
    given = {"a": [reference, scalar], "b": (np.asarray([4, 2]), Reference.of(third[0])), "c": scalar}
    found = {key: answer() for key, answer in unpack(pack(given)).items()}
    assert found.keys() == given.keys()
    np.testing.assert_array_equal(found["b"][0], [4, 2])
    pairs = [*found["a"], found["b"][1], found["c"]], [reference, scalar, given["b"][1], scalar]
    for kept, made in zip(*pairs, strict=True):
        _check_same(kept, made, "packed")


def test_another_source_is_another_question(monkeypatch: pytest.MonkeyPatch) -> None:
    cell = Cell("value", "softmax", "numpy", "float32")
    call = make_call("softmax", cell.samples()[0], "float32")
    question = ("value", *call.key())
    key = answers.key_of(cell.spec, question)
    assert key == answers.key_of(cell.spec, question)
    other = Cell("value", "log_softmax", "numpy", "float32").spec
    assert answers.sources_of(cell.spec.oracle) != answers.sources_of(other.oracle)
    assert answers.sources_of(cell.spec.gradient_scale) != answers.sources_of(other.gradient_scale)
