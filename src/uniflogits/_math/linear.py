"""Logits that are products of hidden states h, (n, D), with one vector per class, a few rows at a time.

Derivatives are those of the losses of these rows by the products; (n, V) is the largest shape here. All of it
is by the cross-entropy of logits; `linear_pass.py` has what is quicker where no option asks for more.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from . import capping
from .products import product
from .targets import one_hot

# Numbers of one chunk of logits, and of one that formulas make many arrays of.
_CHUNK, _SMALL = 2**23, 2**21


class Classes(NamedTuple):
    """What all rows share."""

    vectors: Any  # (V, D): one per class
    bias: Any  # (V,) or None
    softcap: Any  # None: logits are not bounded
    trusted: bool  # no label is -1
    options: dict[str, Any]  # of the loss


def chunk_rows(width: int, classes: int, small: bool) -> int:
    """Rows of a chunk: its logits are no more numbers than 2^23, or than the vectors of the classes.

    Fewer rows would read and write the gradient of those vectors more often than they pay for. Formulas make
    many arrays of a chunk's size, so theirs are a quarter of that. A power of two: batches are multiples of
    one more often, and a rest is a second program with memory of its own.
    """
    limit, floor = (_SMALL, width // 4) if small else (_CHUNK, width)
    rows = max(limit // max(1, classes), floor, 1)
    return 1 << (rows.bit_length() - 1)


def in_chunks(xp: Any, step: Any, carry: Any, rows: tuple[Any, ...], size: int | None) -> tuple[Any, Any]:
    """step(carry, some rows) -> carry, tuple of results with a row each; the results are joined.

    `size` rows at a time; None: all.
    """
    if size is None:
        return step(carry, rows)
    return xp.over_chunks(step, carry, rows, size)


def raw_losses(xp: Any, loss: Any, classes: Classes, h: Any, labels: Any) -> Any:
    """Each row's loss, for autodiff too.

    The label's product is made by itself, and so is its part of the derivative: beside it each of the many
    others' would be rounded to what that can hold.
    """
    own = xp.sum(h * of_labels(xp, classes.vectors, labels), axis=-1, keepdims=True)
    return loss(xp, *_logits(xp, classes, h, labels, own)[1:], **classes.options)


def slopes(xp: Any, gradients: Any, classes: Classes, h: Any, labels: Any) -> Any:
    """The derivative of each row's raw loss by each product, (n, V)."""
    z, x, y = _logits(xp, classes, h, labels)
    by_x, _ = gradients(xp, x, y, **classes.options)
    return by_x if classes.softcap is None else by_x * capping.slope(xp, z, cap=classes.softcap)


def bent(xp: Any, gradients: Any, curvature: Any, classes: Classes, h: Any, labels: Any, t: Any) -> Any:
    """`slopes` and their derivative as the products move along t."""
    z, x, y = _logits(xp, classes, h, labels)
    by_x, _ = gradients(xp, x, y, **classes.options)
    if classes.softcap is None:
        return by_x, curvature(xp, x, y, t, **classes.options)[0]
    slope = capping.slope(xp, z, cap=classes.softcap)
    moved, _ = curvature(xp, x, y, t * slope, **classes.options)
    return by_x * slope, moved * slope + by_x * capping.curve(xp, z, cap=classes.softcap) * t


def shares(xp: Any, labels: Any, trusted: bool, class_weights: Any) -> Any:
    """What each row counts in a mean; None without class weights. An invalid row counts as any other."""
    if class_weights is None:
        return None
    if trusted:
        return xp.take(class_weights, labels)
    return xp.where(labels < 0, 1.0, of_labels(xp, class_weights, labels))


def of_labels(xp: Any, by_class: Any, labels: Any) -> Any:
    """Each label's entry along the first axis; that of the first class for an invalid one."""
    return xp.take(by_class, xp.where(labels < 0, 0, labels), axis=0)


def scaled(xp: Any, slope: Any, factor: Any) -> Any:
    """Each row of slopes times its factor."""
    return product(xp, factor[..., None], slope)


def _logits(xp: Any, classes: Classes, h: Any, labels: Any, own: Any = None) -> tuple[Any, Any, Any]:
    """The products with the bias, the logits they become, and the labels one-hot: NaN for an invalid one.

    ``own`` is the label's product, (n, 1), if that is to be its own.
    """
    z = xp.inner(h, classes.vectors)
    y = one_hot(xp, labels, z)
    z = z if own is None else xp.where(y == 1, own, z)
    z = z if classes.bias is None else z + classes.bias
    x = z if classes.softcap is None else capping.capped(xp, z, cap=classes.softcap)
    return z, x, y if classes.trusted else xp.where((labels < 0)[..., None], xp.nan, y)
