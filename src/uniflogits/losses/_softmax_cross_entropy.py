"""The softmax cross-entropies: the cost, in nats, of the true classes under softmax of the logits."""

from __future__ import annotations

from .._core.annotations import (
    ArrayT,
    Axis,
    ClassWeights,
    DenseLabels,
    IntegerLabels,
    Mask,
    Reduction,
    SingleAxis,
    Weights,
)
from .._core.operation import define, operation
from .._core.rules import Loss
from .._math import cross_entropy, targets
from .._math.label_core import BY_LABEL


@operation
def softmax_cross_entropy(
    logits: ArrayT,
    labels: DenseLabels,
    /,
    *,
    axis: Axis = -1,
    where: Mask = None,
    weights: Weights = None,
    class_weights: ClassWeights = None,
    label_smoothing: float = 0.0,
    z_loss: float = 0.0,
    reduction: Reduction = "none",
) -> ArrayT:
    r"""Cross-entropy between dense labels and softmax of the logits.

    .. math::
        \ell = w \Big( \sum_k c_k\, y'_k\, (-\log p_k) + z\,\mathrm{lse}^2 \Big),
        \qquad p = \mathrm{softmax}(x)

    with :math:`x` the ``logits`` along ``axis``, :math:`y'` the smoothed ``labels``, :math:`c` the
    ``class_weights``, :math:`w` the ``weights``, :math:`z` the ``z_loss`` and lse the logsumexp of the
    logits.

    Parameters
    ----------
    logits : array_like, shape (..., K, ...)
        Raw scores. Floating; integers and booleans are promoted to the library's default float.
    labels : array_like, shape of ``logits``
        What each class counts: probabilities, one-hot rows (of any dtype), or any masses. Rows need not sum
        to 1.
    axis : int, tuple of ints or None, default -1
        The axis of the classes.
    where : array_like of bool, optional
        Where False, the class does not exist. Broadcasts to the shape of ``logits``.
    weights : array_like, optional
        A number, or one weight per example: the shape of ``logits`` without ``axis``.
    class_weights : array_like, shape (K,), optional
        One weight per class.
    label_smoothing : float, default 0.0
        :math:`\varepsilon` between 0 and 1: labels become :math:`(1-\varepsilon)\,y + \varepsilon/K` over the
        K classes that exist.
    z_loss : float, default 0.0
        Factor of the squared logsumexp, at least 0.
    reduction : {"none", "sum", "mean"}, default "none"
        One loss per example; their sum; or their sum over :math:`\sum w \cdot \sum_k c_k y_k / \sum_k y_k`.

    Returns
    -------
    array, shape of ``logits`` without ``axis``, or scalar
        Loss in nats: float32 for float16, bfloat16 and float32 logits, float64 for float64.

    Raises
    ------
    TypeError
        Class indices in place of dense labels; arrays of two libraries; arrays that are no real numbers.
    ValueError
        Labels not of the logits' shape, other shapes that do not fit, no classes, an option outside its
        range.

    See Also
    --------
    softmax_cross_entropy_with_integer_labels : the same for class indices.
    sigmoid_binary_cross_entropy : for classes that do not exclude each other.

    Notes
    -----
    *Gradient* by the logits: :math:`p \sum y - y`, for a confident right class too; by floating labels
    :math:`-\log p`.

    *Special values*: a logit of -inf with label 0 contributes 0; with a label above 0 the loss is +inf, with
    gradient -y there. A row without any class costs +inf if it has labels, else 0, with gradient 0. An
    example of weight 0 is never looked at. Any other NaN makes its row's loss and gradient NaN. A mean over
    nothing is 0.

    Source: Good, I. J. (1952), Rational decisions; smoothing: Szegedy et al. (2016), Rethinking the Inception
    architecture; z-loss: Chowdhery et al. (2022), PaLM.

    Examples
    --------
    >>> import numpy as np, uniflogits as ul
    >>> ul.softmax_cross_entropy(np.array([2.5, 1.0, -1.2]), np.array([1.0, 0.0, 0.0])).round(4)
    np.float64(0.2212)
    """
    ...


@operation
def softmax_cross_entropy_with_integer_labels(
    logits: ArrayT,
    labels: IntegerLabels,
    /,
    *,
    axis: SingleAxis = -1,
    where: Mask = None,
    weights: Weights = None,
    class_weights: ClassWeights = None,
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    z_loss: float = 0.0,
    reduction: Reduction = "none",
) -> ArrayT:
    r"""Cross-entropy between class indices and softmax of the logits.

    .. math::
        \ell = w \Big( \sum_k c_k\, y'_k\, (-\log p_k) + z\,\mathrm{lse}^2 \Big),
        \qquad p = \mathrm{softmax}(x)

    with :math:`x` the ``logits`` along ``axis``, :math:`y'` the smoothed one-hot rows of the ``labels``,
    :math:`c` the ``class_weights``, :math:`w` the ``weights``, :math:`z` the ``z_loss`` and lse the logsumexp
    of the logits. Without options this is :math:`-\log p_y`.

    Parameters
    ----------
    logits : array_like, shape (..., K, ...)
        Raw scores. Floating; integers and booleans are promoted to the library's default float.
    labels : array_like of integers, shape of ``logits`` without ``axis``
        Class indices from 0 to K - 1, of any integer dtype.
    axis : int, default -1
        The axis of the classes.
    where : array_like of bool, optional
        Where False, the class does not exist. Broadcasts to the shape of ``logits``.
    weights : array_like, optional
        A number, or one weight per example: the shape of ``labels``.
    class_weights : array_like, shape (K,), optional
        One weight per class.
    ignore_index : int, optional
        Examples with this label cost 0, have gradient 0 and count nothing in a mean.
    label_smoothing : float, default 0.0
        :math:`\varepsilon` between 0 and 1: labels become :math:`(1-\varepsilon)\,y + \varepsilon/K` over the
        K classes that exist.
    z_loss : float, default 0.0
        Factor of the squared logsumexp, at least 0.
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
    softmax_cross_entropy : the same for probabilities or one-hot rows.

    Notes
    -----
    *Gradient* by the logits: :math:`p - y` with y one-hot, for a confident right class too. Labels have none.

    *Special values*: a logit of -inf at the label costs +inf, with gradient -1 there. Where labels cannot be
    read (inside jit, tf.function, torch.compile, vmap, on accelerators) an invalid one makes its row's loss
    and gradient NaN. Examples that are ignored or have weight 0 are never looked at. Any other NaN makes its
    row's loss and gradient NaN. A mean over nothing is 0.

    Source: Good, I. J. (1952), Rational decisions; smoothing: Szegedy et al. (2016), Rethinking the Inception
    architecture; z-loss: Chowdhery et al. (2022), PaLM.

    Examples
    --------
    >>> import numpy as np, uniflogits as ul
    >>> ul.softmax_cross_entropy_with_integer_labels(np.array([[2.5, 1.0, -1.2]]), np.array([0])).round(4)
    array([0.2212])
    """
    ...


_RULE = Loss(
    cross_entropy.loss,
    cross_entropy.gradients,
    cross_entropy.curvature,
    cross_entropy.mixed,
    targets.share,
    targets.share_slope,
    BY_LABEL,
)
define(softmax_cross_entropy, _RULE)
define(softmax_cross_entropy_with_integer_labels, _RULE)
