"""linear_cross_entropy: the cross-entropy of logits that are never all there at once."""

from __future__ import annotations

from .._core.annotations import (
    ArrayT,
    ClassBias,
    ClassVectors,
    ClassWeights,
    IntegerLabels,
    Reduction,
    Weights,
)
from .._core.operation import define, operation
from .._core.rules import LinearLoss
from .._math import cross_entropy


@operation
def linear_cross_entropy(
    hidden: ArrayT,
    weight: ClassVectors,
    labels: IntegerLabels,
    /,
    *,
    bias: ClassBias = None,
    weights: Weights = None,
    class_weights: ClassWeights = None,
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    z_loss: float = 0.0,
    softcap: float | None = None,
    reduction: Reduction = "none",
    chunk_size: int | None = None,
) -> ArrayT:
    r"""Cross-entropy between class indices and softmax of a linear layer, without holding its logits.

    .. math::
        \ell = w \Big( \sum_k c_k\, y'_k\, (-\log p_k) + z\,\mathrm{lse}^2 \Big),
        \qquad p = \mathrm{softmax}(x), \quad x = \mathrm{softcap}(h W^\top + b)

    the loss of `softmax_cross_entropy_with_integer_labels` for the logits ``hidden @ weight.T + bias``. They
    are made, used and dropped a chunk of examples at a time, in backward once more, so that memory does not
    grow with examples times classes.

    Parameters
    ----------
    hidden : array_like, shape (..., D)
        What the linear layer is given. Floating; integers and booleans are promoted to the library's default
        float.
    weight : array_like, shape (V, D)
        The layer's weight: one row per class. ``hidden`` and ``weight`` decide the dtype together.
    labels : array_like of integers, shape (...)
        Class indices from 0 to V - 1, of any integer dtype.
    bias : array_like, shape (V,), optional
        Added to the logits. -inf: this class does not exist.
    weights : array_like, optional
        A number, or one weight per example: the shape of ``labels``.
    class_weights : array_like, shape (V,), optional
        One weight per class.
    ignore_index : int, optional
        Examples with this label cost 0, have gradient 0 and count nothing in a mean.
    label_smoothing : float, default 0.0
        :math:`\varepsilon` between 0 and 1: labels become :math:`(1-\varepsilon)\,y + \varepsilon/K` over the
        K classes that exist.
    z_loss : float, default 0.0
        Factor of the squared logsumexp of the logits, at least 0.
    softcap : float, optional
        Bounds the logits smoothly: :math:`c \tanh(x/c)` takes their place. Finite and greater than 0.
    reduction : {"none", "sum", "mean"}, default "none"
        One loss per example; their sum; or their sum over :math:`\sum w\, c_y`, ignored examples left out.
    chunk_size : int, optional
        How many examples make a chunk, at least 1. By default the largest power of two of them that have at
        most 2\ :sup:`23` logits, or that are at most D if those are more; a quarter of that where an option
        needs the formula. No result depends on it beyond rounding.

    Returns
    -------
    array, shape of ``labels``, or scalar
        Loss in nats: float32 for float16, bfloat16 and float32, float64 for float64.

    Raises
    ------
    TypeError
        Labels that are no integers; arrays of two libraries; arrays that are no real numbers.
    ValueError
        A label out of range, where labels can be read; shapes that do not fit, no classes, an option outside
        its range.

    See Also
    --------
    softmax_cross_entropy_with_integer_labels : the same for logits.
    softcap : the bound by itself.

    Notes
    -----
    *Gradient*: with :math:`g = p \sum y' - y'` (and the options' parts) the one by the logits, :math:`g\,W`
    by ``hidden`` and :math:`g^\top h` by ``weight``, for confident right classes too. By ``bias``,
    ``weights`` and ``class_weights`` it flows where the library has autodiff. Products of halves are summed
    in float32.

    *Special values*: those of `softmax_cross_entropy_with_integer_labels`. Examples that are ignored or have
    weight 0 are never looked at. Where labels cannot be read (inside jit, tf.function, torch.compile, vmap,
    on accelerators) an invalid one makes its example's loss and gradient NaN, and the gradient by ``weight``,
    which all examples share.

    *Chunks* are of examples, never of classes: a ``weight`` that is sharded by classes stays where it is.
    Where the number of examples is unknown to a tracer, they are one chunk.

    Source: Wijmans, E. et al. (2024), Cut your losses in large-vocabulary language models; Hsu, P.-L. et al.
    (2024), Liger Kernel: gradients made in the forward pass.

    Examples
    --------
    >>> import numpy as np, uniflogits as ul
    >>> hidden, weight = np.array([[1.0, 2.0], [0.5, -1.0]]), np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    >>> ul.linear_cross_entropy(hidden, weight, np.array([2, 0])).round(4)
    array([0.4076, 0.6041])
    """
    ...


_RULE = LinearLoss(cross_entropy.loss, cross_entropy.gradients, cross_entropy.curvature)
define(linear_cross_entropy, _RULE)
