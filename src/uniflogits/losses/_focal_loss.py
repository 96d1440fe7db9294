"""The focal losses: cross-entropies that count an example the less, the surer the right answer is already."""

from __future__ import annotations

from typing import Any

from .._core.annotations import (
    ArrayT,
    BinaryLabels,
    ClassWeights,
    ElementWeights,
    IntegerLabels,
    Mask,
    Reduction,
    SingleAxis,
    Weights,
)
from .._core.operation import define, operation
from .._core.rules import Loss
from .._math import focal, targets
from .._math.products import product
from .._math.softmax_core import centred, probabilities


@operation
def sigmoid_focal_loss(
    logits: ArrayT,
    labels: BinaryLabels,
    /,
    *,
    gamma: float = 2.0,
    alpha: ElementWeights = None,
    where: Mask = None,
    weights: Weights = None,
    reduction: Reduction = "none",
) -> ArrayT:
    r"""Focal loss between labels and sigmoid of the logits.

    .. math::
        \ell = w\,\alpha_t\, (1 - p_t)^\gamma \big( y \log(1 + e^{-x}) + (1 - y) \log(1 + e^{x}) \big), \qquad
        p_t = y\,\sigma(x) + (1 - y)\,\sigma(-x), \quad \alpha_t = \alpha\,y + (1 - \alpha)(1 - y)

    with :math:`x` the ``logits``, :math:`y` the ``labels``, :math:`w` the ``weights``, :math:`\gamma` the
    ``gamma`` and :math:`\alpha` the ``alpha``; without one :math:`\alpha_t` is 1.

    Parameters
    ----------
    logits : array_like, any shape
        Log-odds in nats. Floating; integers and booleans are promoted to the library's default float.
    labels : array_like, shape of ``logits``
        Probabilities between 0 and 1; booleans and integers 0 and 1 serve as well.
    gamma : float, default 2.0
        How strongly right answers are discounted, at least 0. With 0 the loss is the cross-entropy.
    alpha : array_like, optional
        Weight of the positive part; the negative part's is ``1 - alpha``. Broadcasts to the shape of
        ``logits``, so shape (C,) is one per class.
    where : array_like of bool, optional
        Where False, the element is not there: loss 0, gradient 0, nothing in a mean. Broadcasts to the shape
        of ``logits``.
    weights : array_like, optional
        A number, or one weight per element: the shape of ``logits``.
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
    softmax_focal_loss : for classes that exclude each other.
    sigmoid_binary_cross_entropy : the loss with ``gamma`` 0.

    Notes
    -----
    *Gradient* by the logits, for label 1: :math:`-\alpha\,\sigma(-x)^\gamma (\sigma(-x) + \gamma\,\sigma(x)
    \log(1+e^{-x}))`, for confident answers too; label 0 mirrors it. By floating labels, ``alpha`` and
    ``weights`` it flows where the library has autodiff. Autodiff is exact up to second derivatives.

    *Special values*: (+inf, 1) and (-inf, 0) cost 0 with gradient 0; (-inf, 1) and (+inf, 0) cost +inf with
    gradients -1 and +1 (times the alpha part). Where labels cannot be read (inside jit, tf.function,
    torch.compile, vmap, on accelerators) an invalid one makes its loss and gradient NaN. Elements of weight 0
    are never looked at. A mean over nothing is 0; ``gamma`` and ``alpha`` do not enter what it divides by.

    Source: Lin, T.-Y. et al. (2017), Focal loss for dense object detection.

    Examples
    --------
    >>> import numpy as np, uniflogits as ul
    >>> ul.sigmoid_focal_loss(np.array([2.5, -1.2]), np.array([1.0, 0.0])).round(5)
    array([0.00045, 0.01411])
    """
    ...


@operation
def softmax_focal_loss(
    logits: ArrayT,
    labels: IntegerLabels,
    /,
    *,
    gamma: float = 2.0,
    axis: SingleAxis = -1,
    where: Mask = None,
    weights: Weights = None,
    class_weights: ClassWeights = None,
    ignore_index: int | None = None,
    reduction: Reduction = "none",
) -> ArrayT:
    r"""Focal loss between class indices and softmax of the logits.

    .. math::
        \ell = w\,c_y\, (1 - p_y)^\gamma\, (-\log p_y), \qquad p = \mathrm{softmax}(x)

    with :math:`x` the ``logits`` along ``axis``, :math:`y` the label, :math:`w` the ``weights``, :math:`c`
    the ``class_weights`` and :math:`\gamma` the ``gamma``.

    Parameters
    ----------
    logits : array_like, shape (..., K, ...)
        Raw scores. Floating; integers and booleans are promoted to the library's default float.
    labels : array_like of int, shape of ``logits`` without ``axis``
        Class indices from 0 to K - 1, of any integer dtype. -1 never means the last class.
    gamma : float, default 2.0
        How strongly right answers are discounted, at least 0. With 0 the loss is the cross-entropy.
    axis : int, default -1
        The axis of the classes.
    where : array_like of bool, optional
        Where False, the class does not exist. Broadcasts to the shape of ``logits``.
    weights : array_like, optional
        A number, or one weight per example: the shape of ``labels``.
    class_weights : array_like, shape (K,), optional
        One weight per class; the balance that the binary loss calls alpha.
    ignore_index : int, optional
        Examples with this label cost 0, have gradient 0 and count nothing in a mean.
    reduction : {"none", "sum", "mean"}, default "none"
        One loss per example; their sum; or their sum over :math:`\sum w\, c_y`, ignored examples left out.

    Returns
    -------
    array, shape of ``labels``, or scalar
        Loss in nats: float32 for float16, bfloat16 and float32 logits, float64 for float64.

    Raises
    ------
    TypeError
        Labels that are no integers; arrays of two libraries; arrays that are no real numbers.
    ValueError
        A label out of range, where labels can be read; shapes that do not fit, no classes, an option outside
        its range.

    See Also
    --------
    sigmoid_focal_loss : for classes that do not exclude each other.
    softmax_cross_entropy_with_integer_labels : the loss with ``gamma`` 0.

    Notes
    -----
    It is the binary loss of the logit of :math:`p_y`: of the label's logit less the logsumexp of all others.

    *Gradient* by the logits: :math:`b\,(p - y)` with y one-hot and :math:`b = (1 - p_y)^\gamma - \gamma\, p_y
    (1 - p_y)^{\gamma - 1} \log p_y`, for a confident right class too. Labels have none. Autodiff is exact up
    to second derivatives.

    *Special values*: a logit of -inf at the label costs +inf, with gradient -1 there. A label that is alone
    costs 0. Where labels cannot be read (inside jit, tf.function, torch.compile, vmap, on accelerators) an
    invalid one makes its row's loss and gradient NaN. Examples that are ignored or have weight 0 are never
    looked at. Any other NaN makes its row's loss and gradient NaN. A mean over nothing is 0; ``gamma`` does
    not enter what it divides by.

    Source: Lin, T.-Y. et al. (2017), Focal loss for dense object detection.

    Examples
    --------
    >>> import numpy as np, uniflogits as ul
    >>> ul.softmax_focal_loss(np.array([[2.5, 1.0, -1.2]]), np.array([0])).round(5)
    array([0.00874])
    """
    ...


def _odds(xp: Any, x: Any, y: Any) -> focal.Odds:
    ahead = x > 0
    lead = xp.where(ahead, x, -x)
    right, wrong = xp.where(ahead, y, 1.0 - y), xp.where(ahead, 1.0 - y, y)
    return focal.Odds(lead, xp.exp(-lead), right, wrong)


def _balance(y: Any, alpha: Any) -> tuple[Any, Any]:
    """alpha's part in the loss, and its derivative by the label."""
    return alpha * y + (1.0 - alpha) * (1.0 - y), 2.0 * alpha - 1.0


def _sigmoid_loss(xp: Any, x: Any, y: Any, *, gamma: Any, alpha: Any) -> Any:
    loss = focal.focal_loss(xp, _odds(xp, x, y), gamma)
    return loss if alpha is None else product(xp, _balance(y, alpha)[0], loss)


def _sigmoid_gradients(xp: Any, x: Any, y: Any, *, gamma: Any, alpha: Any) -> tuple[Any, Any]:
    odds = _odds(xp, x, y)
    by_lead, by_wrong = focal.focal_slopes(xp, odds, gamma)
    by_x = xp.where(x > 0, by_lead, -by_lead)

    def by_y() -> Any:
        slope = xp.where(x > 0, -by_wrong, by_wrong)
        if alpha is None:
            return slope
        part, part_by_y = _balance(y, alpha)
        return product(xp, part, slope) + product(xp, part_by_y, focal.focal_loss(xp, odds, gamma))

    return by_x if alpha is None else _balance(y, alpha)[0] * by_x, by_y


def _sigmoid_curvature(xp: Any, x: Any, y: Any, t: Any, *, gamma: Any, alpha: Any) -> tuple[Any, Any]:
    bent = focal.focal_curvature(xp, _odds(xp, x, y), gamma) * t
    bent = bent if alpha is None else _balance(y, alpha)[0] * bent
    return bent, _sigmoid_mixed(xp, x, y, t, gamma=gamma, alpha=alpha)


def _sigmoid_mixed(xp: Any, x: Any, y: Any, u: Any, *, gamma: Any, alpha: Any) -> Any:
    odds = _odds(xp, x, y)
    # Lead and wrong part move with logit and label, one of the two against it.
    mixed = -focal.focal_mixed(xp, odds, gamma)
    if alpha is not None:
        by_lead, _ = focal.focal_slopes(xp, odds, gamma)
        part, part_by_y = _balance(y, alpha)
        mixed = part * mixed + part_by_y * xp.where(x > 0, by_lead, -by_lead)
    return mixed * u


define(sigmoid_focal_loss, Loss(_sigmoid_loss, _sigmoid_gradients, _sigmoid_curvature, _sigmoid_mixed))


def _factor(xp: Any, y: Any, class_weights: Any) -> Any:
    """The label's class weight; NaN for an invalid label, 0 for a removed one."""
    return xp.sum(y if class_weights is None else product(xp, y, class_weights), axis=-1, keepdims=True)


def _softmax_loss(xp: Any, x: Any, y: Any, *, gamma: Any, class_weights: Any) -> Any:
    truth = focal.truth(xp, x, y)
    loss = focal.focal_loss(xp, truth.odds, gamma)
    if xp.slope is not None:
        # Several +inf share the mass at a finite cost, from which no other arithmetic leads back to them.
        entries = truth.shared & (x == xp.inf)
        slope, toward = _softmax_slopes(xp, truth, gamma)
        step = xp.stop_gradient(xp.where(entries, slope * toward, 0.0)) * xp.slope(xp.where(entries, x, 0.0))
        loss = loss + xp.sum(step, axis=-1, keepdims=True)
    return product(xp, _factor(xp, y, class_weights), loss)[..., 0]


def _softmax_slopes(xp: Any, truth: focal.Truth, gamma: Any) -> tuple[Any, Any]:
    """The derivative by the logit of the label's probability, and that logit's by each class."""
    by_lead, _ = focal.focal_slopes(xp, truth.odds, gamma)
    slope = xp.where(truth.ahead, by_lead, -by_lead)
    return xp.where(truth.dead, 0.0, slope), xp.where(truth.label, 1.0, -probabilities(truth.others))


def _softmax_gradients(xp: Any, x: Any, y: Any, *, gamma: Any, class_weights: Any) -> tuple[Any, Any]:
    slope, toward = _softmax_slopes(xp, focal.truth(xp, x, y), gamma)
    return _factor(xp, y, class_weights) * slope * toward, None


def _softmax_curvature(xp: Any, x: Any, y: Any, t: Any, *, gamma: Any, class_weights: Any) -> tuple[Any, Any]:
    truth = focal.truth(xp, x, y)
    slope, toward = _softmax_slopes(xp, truth, gamma)
    shares = probabilities(truth.others)
    moved = xp.sum(toward * t, axis=-1, keepdims=True)
    bent = focal.focal_curvature(xp, truth.odds, gamma) * moved * toward
    bent = bent - slope * shares * centred(xp, truth.others, shares, t)
    return xp.where(truth.others.full | truth.dead, 0.0, _factor(xp, y, class_weights) * bent), None


define(softmax_focal_loss, Loss(_softmax_loss, _softmax_gradients, _softmax_curvature, share=targets.share))
