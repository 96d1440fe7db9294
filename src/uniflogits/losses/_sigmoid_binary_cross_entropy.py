"""The sigmoid (binary) cross-entropy: every element its own yes-or-no question."""

from __future__ import annotations

from typing import Any

from .._core.annotations import ArrayT, BinaryLabels, ElementWeights, Mask, Reduction, Weights
from .._core.operation import define, operation
from .._core.rules import Loss
from .._math import sigmoid_core as core
from .._math.products import product


@operation
def sigmoid_binary_cross_entropy(
    logits: ArrayT,
    labels: BinaryLabels,
    /,
    *,
    where: Mask = None,
    weights: Weights = None,
    pos_weight: ElementWeights = None,
    label_smoothing: float = 0.0,
    reduction: Reduction = "none",
) -> ArrayT:
    r"""Binary cross-entropy between labels and sigmoid of the logits.

    .. math::
        \ell = w \big( v\,y^+\, \log(1 + e^{-x}) + y^-\, \log(1 + e^{x}) \big), \qquad
        y^+ = (1-\varepsilon)\,y + \varepsilon/2, \quad y^- = (1-\varepsilon)(1-y) + \varepsilon/2

    with :math:`x` the ``logits``, :math:`y` the ``labels``, :math:`w` the ``weights``, :math:`v` the
    ``pos_weight`` and :math:`\varepsilon` the ``label_smoothing``.

    Parameters
    ----------
    logits : array_like, any shape
        Log-odds in nats. Floating; integers and booleans are promoted to the library's default float.
    labels : array_like, shape of ``logits``
        Probabilities between 0 and 1; booleans and integers 0 and 1 serve as well.
    where : array_like of bool, optional
        Where False, the element is not there: loss 0, gradient 0, nothing in a mean. Broadcasts to the shape
        of ``logits``.
    weights : array_like, optional
        A number, or one weight per element: the shape of ``logits``.
    pos_weight : array_like, optional
        Factor of the positive part. Broadcasts to the shape of ``logits``, so shape (C,) is one per class.
    label_smoothing : float, default 0.0
        :math:`\varepsilon` between 0 and 1.
    reduction : {"none", "sum", "mean"}, default "none"
        One loss per element; their sum; or their sum over :math:`\sum w` of the elements that are there.

    Returns
    -------
    array, shape of ``logits``, or scalar
        Loss in nats: float32 for float16, bfloat16 and float32 logits, float64 for float64.

    Raises
    ------
    TypeError
        Arrays of two libraries; arrays that are no real numbers.
    ValueError
        A label outside [0, 1], where labels can be read; shapes that do not fit, an option outside its range.

    See Also
    --------
    softmax_cross_entropy : for classes that exclude each other.
    softplus : the loss of one element with label 0.

    Notes
    -----
    *Gradient* by the logits: :math:`y^- \sigma(x) - v\,y^+ \sigma(-x)`; by floating labels
    :math:`(1-\varepsilon)(v \log(1+e^{-x}) - \log(1+e^{x}))`.

    *Special values*: (+inf, 1) and (-inf, 0) cost 0 with gradient 0; (-inf, 1) and (+inf, 0) cost +inf with
    gradients -1 and +1. Where labels cannot be read (inside jit, tf.function, torch.compile, vmap, on
    accelerators) an invalid one makes its loss and gradient NaN. Elements of weight 0 are never looked at. A
    mean over nothing is 0.

    Source: Cox, D. R. (1958), The regression analysis of binary sequences. Only non-negative terms are added.

    Examples
    --------
    >>> import numpy as np, uniflogits as ul
    >>> ul.sigmoid_binary_cross_entropy(np.array([2.5, -1.2]), np.array([1.0, 0.0])).round(4)
    array([0.0789, 0.2633])
    """
    ...


def _parts(xp: Any, y: Any, pos_weight: Any, label_smoothing: Any) -> tuple[Any, Any]:
    """The positive and the negative part of each label, each formed without subtracting from the other."""
    positive, negative = y, 1.0 - y
    if label_smoothing is not None:
        keep, half = 1.0 - label_smoothing, 0.5 * label_smoothing
        positive, negative = keep * positive + half, keep * negative + half
    return positive if pos_weight is None else product(xp, positive, pos_weight), negative


def _loss(xp: Any, x: Any, y: Any, *, pos_weight: Any, label_smoothing: Any) -> Any:
    positive, negative = _parts(xp, y, pos_weight, label_smoothing)
    ahead, behind = core.both_softpluses(xp, x)
    return product(xp, positive, behind) + product(xp, negative, ahead)


def _gradients(xp: Any, x: Any, y: Any, *, pos_weight: Any, label_smoothing: Any) -> tuple[Any, Any]:
    positive, negative = _parts(xp, y, pos_weight, label_smoothing)
    ahead, behind = core.both_sigmoids(xp, x)

    def by_y() -> Any:
        ahead, behind = core.both_softpluses(xp, x)
        slope = _times(behind, pos_weight) - ahead
        return slope if label_smoothing is None else (1.0 - label_smoothing) * slope

    return negative * ahead - positive * behind, by_y


def _curvature(xp: Any, x: Any, y: Any, t: Any, *, pos_weight: Any, label_smoothing: Any) -> tuple[Any, Any]:
    positive, negative = _parts(xp, y, pos_weight, label_smoothing)
    bent = (positive + negative) * core.sigmoid_slope(xp, x) * t
    return bent, _mixed(xp, x, y, t, pos_weight=pos_weight, label_smoothing=label_smoothing)


def _mixed(xp: Any, x: Any, y: Any, u: Any, *, pos_weight: Any, label_smoothing: Any) -> Any:
    ahead, behind = core.both_sigmoids(xp, x)
    slope = -(ahead + _times(behind, pos_weight)) * u
    return slope if label_smoothing is None else (1.0 - label_smoothing) * slope


def _times(x: Any, factor: Any) -> Any:
    return x if factor is None else x * factor


define(sigmoid_binary_cross_entropy, Loss(_loss, _gradients, _curvature, _mixed))
