"""How many rows linear_cross_entropy takes at a time: what bounds the memory that it needs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import uniflogits as ul
from uniflogits._backends.numpy import BACKEND
from uniflogits._core.operation import OPERATIONS
from uniflogits._math import linear

pytestmark = pytest.mark.backend("numpy")
_RNG = np.random.default_rng(9)
ROWS, WIDTH, CLASSES = 40, 4, 8
H, VECTORS = _RNG.normal(size=(ROWS, WIDTH)), _RNG.normal(size=(CLASSES, WIDTH))
LABELS = _RNG.integers(0, CLASSES, size=ROWS)


@pytest.mark.parametrize(
    ("width", "classes", "small", "rows"),
    [
        (64, 2**10, False, 2**13),
        (64, 2**10, True, 2**11),
        # A power of two.
        (64, 32_000, False, 256),
        (64, 32_000, True, 64),
        # No fewer than the vectors have numbers for each class, or a quarter of that.
        (4099, 2**17, False, 4096),
        (4099, 2**17, True, 1024),
        (0, 2**24, True, 1),
        (0, 2**24, False, 1),
        (64, 0, False, 2**23),
    ],
)
def test_rows_of_a_chunk(width: int, classes: int, small: bool, rows: int) -> None:
    assert linear.chunk_rows(width, classes, small) == rows


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Any]]:
    """What formulas and pass are called with, where 64 logits are a small chunk and 256 a large one."""
    monkeypatch.setattr(linear, "_SMALL", 64)
    monkeypatch.setattr(linear, "_CHUNK", 256)
    found: dict[str, list[Any]] = {"formula": [], "passes": []}
    rule, one_pass = OPERATIONS["linear_cross_entropy"].rule, BACKEND.xp.linear_pass
    for name in ("formula", "gradients", "curvature"):
        plain = getattr(rule, name)

        def spied(xp: Any, x: Any, *rest: Any, plain: Any = plain, **options: Any) -> Any:
            found["formula"].append(x.shape[0])
            return plain(xp, x, *rest, **options)

        monkeypatch.setattr(rule, name, spied)

    def pass_of(arrays: Any, labels: Any, factors: Any, z_loss: Any, size: Any) -> Any:
        found["passes"].append(size)
        return one_pass(arrays, labels, factors, z_loss, size)

    monkeypatch.setattr(BACKEND.xp, "linear_pass", pass_of)
    return found


def _everything(rows: int, **options: Any) -> None:
    h, labels = H[:rows], LABELS[:rows]
    ones = np.ones_like(h)
    ul.linear_cross_entropy(h, VECTORS, labels, **options)
    ul.vjp(ul.linear_cross_entropy, h, VECTORS, labels, **options)[1](np.ones(rows))
    ul.jvp(ul.linear_cross_entropy, (h, VECTORS, labels), (ones, None, None), **options)
    ul.vjp(ul.grad(ul.linear_cross_entropy), h, VECTORS, labels, cotangent=np.ones(rows), **options)[1](ones)


def test_formulas_take_small_chunks(seen: dict[str, list[Any]]) -> None:
    _everything(ROWS, label_smoothing=0.125)
    assert set(seen["formula"]) == {8} and not seen["passes"]


def test_the_single_pass_takes_large_chunks(seen: dict[str, list[Any]]) -> None:
    _everything(ROWS)
    assert set(seen["passes"]) == {32}


def test_a_chunk_size_is_kept(seen: dict[str, list[Any]]) -> None:
    _everything(ROWS, chunk_size=20, label_smoothing=0.125)
    _everything(ROWS, chunk_size=20)
    assert set(seen["formula"]) == set(seen["passes"]) == {20}


def test_few_rows_are_not_cut(seen: dict[str, list[Any]]) -> None:
    _everything(8, label_smoothing=0.125)
    _everything(32)
    assert set(seen["passes"]) == {None}
    assert set(seen["formula"][:4]) == {8}


def test_what_is_saved_of_a_chunk_is_its_rows(
    seen: dict[str, list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the library differentiates a formula in chunks, it makes their logits anew."""
    asked = []
    monkeypatch.setattr(BACKEND.xp, "recomputed", lambda function: asked.append(function) or function)
    weights = np.ones(CLASSES)
    ul.linear_cross_entropy(H[:8], VECTORS, LABELS[:8], class_weights=weights)
    assert not asked
    ul.linear_cross_entropy(H[:9], VECTORS, LABELS[:9], class_weights=weights)
    assert len(asked) == 1
