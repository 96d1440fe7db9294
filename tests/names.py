"""Other libraries' names for the operations here: what to call instead, and what differs.

Both expressions of a row are evaluated by tests/test_names.py on the same arrays, in the library's own
process, and give the same numbers; docs/names.rst is made of these rows. In the expressions x and x2 are
logits (3, 4), y class indices (3,), p and p2 dense labels (3, 4) whose rows sum to 1, b binary labels (3,
4), w class weights (4,), m a mask (3, 4), u numbers between 0 and 1.
"""

from __future__ import annotations

from typing import NamedTuple


class Name(NamedTuple):
    package: str
    theirs: str
    ours: str
    differs: str = ""


_ORDER = "labels come second here"
_DEFAULT_AXIS = "reduces over all axes by default; ours over the last"
_MEAN = 'their default reduction is the mean; ours is "none"'

TENSORFLOW = [
    ("tf.nn.softmax(x)", "ul.softmax(x)", "one axis only; ours also takes several, and `where`"),
    ("tf.nn.log_softmax(x)", "ul.log_softmax(x)"),
    ("tf.sigmoid(x)", "ul.sigmoid(x)", "also tf.nn.sigmoid, tf.math.sigmoid"),
    ("tf.math.log_sigmoid(x)", "ul.log_sigmoid(x)"),
    ("tf.nn.softplus(x)", "ul.softplus(x)", "also tf.math.softplus; no `beta`"),
    ("tf.reduce_logsumexp(x)", "ul.logsumexp(x, axis=None)", _DEFAULT_AXIS),
    ("tf.reduce_logsumexp(x, 1, keepdims=True)", "ul.logsumexp(x, axis=1, keepdims=True)"),
    (
        "tf.math.cumulative_logsumexp(x, axis=1)",
        "ul.cumulative_logsumexp(x)",
        "their default axis is the first; no `exclusive` here",
    ),
    (
        "tf.math.cumulative_logsumexp(x, axis=0, reverse=True)",
        "ul.cumulative_logsumexp(x, axis=0, reverse=True)",
    ),
    ("tf.experimental.numpy.logaddexp(x, x2)", "ul.logaddexp(x, x2)"),
    ("tf.math.xlogy(p, u)", "ul.xlogy(p, u)"),
    ("tf.math.xlog1py(p, u)", "ul.xlog1py(p, u)"),
    (
        "tf.nn.softmax_cross_entropy_with_logits(labels=[[1.0, 0.0, 0.0]], logits=[[2.5, 1.0, -1.2]])",
        "ul.softmax_cross_entropy([[2.5, 1.0, -1.2]], [[1.0, 0.0, 0.0]])",
        f"Cats, Dogs, Birds; {_ORDER}. Lists here give NumPy arrays",
    ),
    ("tf.nn.softmax_cross_entropy_with_logits(p, x)", "ul.softmax_cross_entropy(x, p)", _ORDER),
    (
        "tf.nn.sparse_softmax_cross_entropy_with_logits(y, x)",
        "ul.softmax_cross_entropy_with_integer_labels(x, y)",
        f"{_ORDER}; any integer dtype",
    ),
    ("tf.nn.sigmoid_cross_entropy_with_logits(b, x)", "ul.sigmoid_binary_cross_entropy(x, b)", _ORDER),
    (
        "tf.nn.weighted_cross_entropy_with_logits(b, x, 3.0)",
        "ul.sigmoid_binary_cross_entropy(x, b, pos_weight=3.0)",
        _ORDER,
    ),
    (
        "keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)(p, x)",
        'ul.softmax_cross_entropy(x, p, label_smoothing=0.1, reduction="mean")',
        f"{_ORDER}; {_MEAN}",
    ),
    (
        "keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=1)(y, x)",
        'ul.softmax_cross_entropy_with_integer_labels(x, y, ignore_index=1, reduction="mean")',
        f"{_ORDER}; {_MEAN}",
    ),
    (
        "keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.1)(b, x)",
        'ul.sigmoid_binary_cross_entropy(x, b, label_smoothing=0.1, reduction="mean")',
        f"{_ORDER}; {_MEAN}",
    ),
    (
        "keras.losses.BinaryFocalCrossentropy(from_logits=True, gamma=2.0)(b, x)",
        'ul.sigmoid_focal_loss(x, b, gamma=2.0, reduction="mean")',
        f"{_ORDER}; {_MEAN}; apply_class_balancing=True is our `alpha`",
    ),
    (
        "keras.losses.CategoricalFocalCrossentropy(from_logits=True, alpha=1.0, gamma=2.0)"
        "(tf.one_hot(y, 4, dtype=x.dtype), x)",
        'ul.softmax_focal_loss(x, y, gamma=2.0, reduction="mean")',
        f"class indices here; their `alpha` of 0.25 scales the loss; {_MEAN}",
    ),
    (
        "keras.losses.kl_divergence(p, p2)",
        "ul.kl_divergence(ul.xlogy(1.0, p), ul.xlogy(1.0, p2))",
        "probabilities there, logits here (logarithms of probabilities are logits); the order is the same",
    ),
    (
        "keras.activations.sparsemax(20 * x)",
        "ul.sparsemax(20 * x)",
        "Keras 3.15 adds up running sums: right only where one class is left, as here",
    ),
    ("keras.ops.logsumexp(x, -1)", "ul.logsumexp(x)", _DEFAULT_AXIS),
]

TORCH = [
    ("F.softmax(x, -1)", "ul.softmax(x)", "`dim` is required there"),
    ("F.softmin(x, -1)", "ul.softmax(-x)"),
    ("F.log_softmax(x, -1)", "ul.log_softmax(x)", "`dim` is required there"),
    ("torch.sigmoid(x)", "ul.sigmoid(x)", "also torch.special.expit"),
    ("F.logsigmoid(x)", "ul.log_sigmoid(x)"),
    ("F.softplus(x, beta=2.0)", "ul.softplus(x, beta=2.0)", "turns into x above a threshold of 20 there"),
    ("torch.logsumexp(x, -1)", "ul.logsumexp(x)", "no weights, no mask there"),
    ("torch.logcumsumexp(x, -1)", "ul.cumulative_logsumexp(x)"),
    ("torch.logaddexp(x, x2)", "ul.logaddexp(x, x2)"),
    ("torch.logit(u)", "ul.logit(u)"),
    ("torch.logit(u, eps=0.3)", "ul.logit(u, eps=0.3)"),
    ("torch.xlogy(p, u)", "ul.xlogy(p, u)"),
    ("torch.special.xlog1py(p, u)", "ul.xlog1py(p, u)"),
    (
        "F.cross_entropy(x, y)",
        'ul.softmax_cross_entropy_with_integer_labels(x, y, reduction="mean")',
        f"{_MEAN}; the class axis is the second there, the last here",
    ),
    (
        "F.cross_entropy(x, y, ignore_index=1)",
        'ul.softmax_cross_entropy_with_integer_labels(x, y, ignore_index=1, reduction="mean")',
        "-100 is ignored by default there, nothing here",
    ),
    (
        "F.cross_entropy(x, y, weight=w)",
        'ul.softmax_cross_entropy_with_integer_labels(x, y, class_weights=w, reduction="mean")',
        "`weight` is our `class_weights`; `weights` here are of examples",
    ),
    (
        "F.cross_entropy(x, y, label_smoothing=0.1, reduction='none')",
        "ul.softmax_cross_entropy_with_integer_labels(x, y, label_smoothing=0.1)",
    ),
    (
        "F.cross_entropy(x, p)",
        'ul.softmax_cross_entropy(x, p, reduction="mean")',
        _MEAN,
    ),
    (
        "F.cross_entropy(x, p, weight=w, reduction='none')",
        "ul.softmax_cross_entropy(x, p, class_weights=w)",
        "with class weights their mean of dense labels divides by the number of examples, ours by the sum of "
        "weights",
    ),
    (
        "F.linear_cross_entropy(x, m.to(x.dtype), y % 3)",
        'ul.linear_cross_entropy(x, m.to(x.dtype), y % 3, reduction="mean")',
        f"{_MEAN}; `linear_weight` and `linear_bias` there are `weight` and `bias` here",
    ),
    (
        "F.nll_loss(F.log_softmax(x, -1), y, reduction='none')",
        "ul.softmax_cross_entropy_with_integer_labels(x, y)",
        "takes log-probabilities; those are logits too",
    ),
    (
        "F.binary_cross_entropy_with_logits(x, b)",
        'ul.sigmoid_binary_cross_entropy(x, b, reduction="mean")',
        _MEAN,
    ),
    (
        "F.binary_cross_entropy_with_logits(x, b, pos_weight=w, reduction='none')",
        "ul.sigmoid_binary_cross_entropy(x, b, pos_weight=w)",
        "`weight` there multiplies elements and does not enter the mean's denominator; `weights` here does",
    ),
    (
        "F.multilabel_soft_margin_loss(x, b, reduction='none')",
        "ul.sigmoid_binary_cross_entropy(x, b).mean(-1)",
        "the mean over classes",
    ),
    (
        "F.soft_margin_loss(x, 2 * torch.round(b) - 1, reduction='none')",
        "ul.sigmoid_binary_cross_entropy(x, torch.round(b))",
        "labels of -1 and 1 there, of 0 and 1 here",
    ),
    (
        "F.kl_div(F.log_softmax(x2, -1), F.log_softmax(x, -1), log_target=True, reduction='none').sum(-1)",
        "ul.kl_divergence(x, x2)",
        "**the order is the reverse**: theirs takes q first, as log-probabilities",
    ),
    (
        "distributions.kl_divergence(distributions.Categorical(logits=x), "
        "distributions.Categorical(logits=x2))",
        "ul.kl_divergence(x, x2)",
    ),
    (
        "distributions.kl_divergence(distributions.Bernoulli(logits=x), distributions.Bernoulli(logits=x2))",
        "ul.binary_kl_divergence(x, x2)",
    ),
    ("distributions.Categorical(logits=x).entropy()", "ul.entropy(x)"),
    ("distributions.Bernoulli(logits=x).entropy()", "ul.binary_entropy(x)"),
]

JAX = [
    ("jax.nn.softmax(x, where=m)", "ul.softmax(x, where=m)"),
    ("jax.nn.log_softmax(x)", "ul.log_softmax(x)"),
    ("jax.nn.sigmoid(x)", "ul.sigmoid(x)", "also jax.scipy.special.expit"),
    ("jax.nn.log_sigmoid(x)", "ul.log_sigmoid(x)"),
    ("jax.nn.softplus(x)", "ul.softplus(x)", "no `beta`"),
    ("jax.nn.logsumexp(x)", "ul.logsumexp(x, axis=None)", _DEFAULT_AXIS),
    ("jax.nn.logsumexp(x, -1, b=p, where=m)", "ul.logsumexp(x, weights=p, where=m)", "`b` is our `weights`"),
    ("jax.nn.logmeanexp(x, -1)", "ul.logmeanexp(x)", _DEFAULT_AXIS),
    ("jax.nn.log1mexp(u)", "ul.log1mexp(u)", "the same sign: log(1 - e^-x), x >= 0"),
    ("jax.lax.cumlogsumexp(x, axis=1)", "ul.cumulative_logsumexp(x)", "their default axis is the first"),
    ("jnp.logaddexp(x, x2)", "ul.logaddexp(x, x2)"),
    ("jax.scipy.special.logit(u)", "ul.logit(u)"),
    ("jax.scipy.special.xlogy(p, u)", "ul.xlogy(p, u)"),
    ("jax.scipy.special.xlog1py(p, u)", "ul.xlog1py(p, u)"),
    ("jax.scipy.special.entr(jax.nn.softmax(x)).sum(-1)", "ul.entropy(x)", "logits here"),
    (
        "jax.scipy.special.rel_entr(jax.nn.softmax(x), jax.nn.softmax(x2)).sum(-1)",
        "ul.kl_divergence(x, x2)",
        "probabilities of single classes there, logits of rows here; the order is the same",
    ),
]

OPTAX = [
    ("optax.softmax_cross_entropy(x, p)", "ul.softmax_cross_entropy(x, p)"),
    (
        "optax.softmax_cross_entropy_with_integer_labels(x, y)",
        "ul.softmax_cross_entropy_with_integer_labels(x, y)",
        "a label out of range gives a number or NaN there, an error here",
    ),
    (
        "optax.softmax_cross_entropy(x, optax.smooth_labels(p, 0.1))",
        "ul.softmax_cross_entropy(x, p, label_smoothing=0.1)",
    ),
    (
        "optax.sigmoid_binary_cross_entropy(x, b)",
        "ul.sigmoid_binary_cross_entropy(x, b)",
        "labels broadcast there; here they have the logits' shape",
    ),
    (
        "optax.sigmoid_focal_loss(x, b, alpha=0.25, gamma=2.0)",
        "ul.sigmoid_focal_loss(x, b, alpha=0.25, gamma=2.0)",
    ),
    (
        "optax.losses.kl_divergence(jax.nn.log_softmax(x2), jax.nn.softmax(x))",
        "ul.kl_divergence(x, x2)",
        "**the order is the reverse**: theirs takes log q first, and p",
    ),
    (
        "optax.losses.kl_divergence_with_log_targets(jax.nn.log_softmax(x2), jax.nn.log_softmax(x))",
        "ul.kl_divergence(x, x2)",
        "**the order is the reverse**",
    ),
]

SCIPY = [
    ("special.softmax(x, -1)", "ul.softmax(x)", "all axes by default there, the last here"),
    ("special.log_softmax(x, -1)", "ul.log_softmax(x)", "all axes by default there, the last here"),
    (
        "special.logsumexp(x, b=p)",
        "ul.logsumexp(x, weights=p, axis=None)",
        f"`b` is our `weights`; {_DEFAULT_AXIS}",
    ),
    ("special.logsumexp(x, -1, return_sign=True)", "ul.logsumexp(x, return_sign=True)"),
    ("special.expit(x)", "ul.sigmoid(x)"),
    ("special.log_expit(x)", "ul.log_sigmoid(x)"),
    ("special.logit(u)", "ul.logit(u)"),
    ("special.xlogy(p, u)", "ul.xlogy(p, u)"),
    ("special.xlog1py(p, u)", "ul.xlog1py(p, u)"),
    ("numpy.logaddexp(x, x2)", "ul.logaddexp(x, x2)"),
    ("special.entr(special.softmax(x, -1)).sum(-1)", "ul.entropy(x)", "probabilities there, logits here"),
    (
        "special.rel_entr(special.softmax(x, -1), special.softmax(x2, -1)).sum(-1)",
        "ul.kl_divergence(x, x2)",
        "probabilities of single classes there, logits of rows here; the order is the same",
    ),
]

NAMES = tuple(
    Name(package, *row)
    for package, rows in (
        ("tensorflow", TENSORFLOW),
        ("torch", TORCH),
        ("jax", JAX),
        ("optax", OPTAX),
        ("scipy", SCIPY),
    )
    for row in rows
)
