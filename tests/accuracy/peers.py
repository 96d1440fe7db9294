"""What other libraries offer for the same operations, as people write it with them: measured beside ours.

Expressions of the arrays x and y. Where a library has no such function there is no entry, rather than
one made of others that nobody would write.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import adapters
from .measure import Report, judge
from .references import Question

TORCH = {
    "softmax": "torch.softmax(x, -1)",
    "log_softmax": "torch.log_softmax(x, -1)",
    "log1m_softmax": "torch.log1p(-torch.softmax(x, -1))",
    "logsumexp": "torch.logsumexp(x, -1)",
    "cumulative_logsumexp": "torch.logcumsumexp(x, -1)",
    "sigmoid": "torch.sigmoid(x)",
    "log_sigmoid": "F.logsigmoid(x)",
    "softplus": "F.softplus(x)",
    "softcap": "30 * torch.tanh(x / 30)",
    "logit": "torch.logit(x)",
    "logaddexp": "torch.logaddexp(x, y)",
    "xlogy": "torch.xlogy(x, y)",
    "xlog1py": "torch.special.xlog1py(x, y)",
    "entropy": "distributions.Categorical(logits=x, validate_args=False).entropy()",
    "kl_divergence": "distributions.kl_divergence(distributions.Categorical(logits=x, validate_args=False), "
    "distributions.Categorical(logits=y, validate_args=False))",
    "binary_entropy": "distributions.Bernoulli(logits=x, validate_args=False).entropy()",
    "binary_kl_divergence": "distributions.kl_divergence(distributions.Bernoulli(logits=x, "
    "validate_args=False), distributions.Bernoulli(logits=y, validate_args=False))",
    "softmax_cross_entropy_with_integer_labels": "F.cross_entropy(x, y, reduction='none')",
    "softmax_cross_entropy": "F.cross_entropy(x, y, reduction='none')",
    "sigmoid_binary_cross_entropy": "F.binary_cross_entropy_with_logits(x, y, reduction='none')",
}
JAX = {
    "softmax": "jax.nn.softmax(x)",
    "log_softmax": "jax.nn.log_softmax(x)",
    "log1m_softmax": "jnp.log1p(-jax.nn.softmax(x))",
    "logsumexp": "jax.nn.logsumexp(x, -1)",
    "cumulative_logsumexp": "jax.lax.cumlogsumexp(x, 1)",
    "sigmoid": "jax.nn.sigmoid(x)",
    "log_sigmoid": "jax.nn.log_sigmoid(x)",
    "softplus": "jax.nn.softplus(x)",
    "softcap": "30 * jnp.tanh(x / 30)",
    "logit": "special.logit(x)",
    "log1mexp": "jax.nn.log1mexp(x)",
    "logaddexp": "jnp.logaddexp(x, y)",
    "xlogy": "special.xlogy(x, y)",
    "xlog1py": "special.xlog1py(x, y)",
}
OPTAX = {
    "kl_divergence": "optax.losses.kl_divergence_with_log_targets(jax.nn.log_softmax(y), "
    "jax.nn.log_softmax(x))",
    "softmax_cross_entropy_with_integer_labels": "optax.softmax_cross_entropy_with_integer_labels(x, y)",
    "softmax_cross_entropy": "optax.softmax_cross_entropy(x, y)",
    "sigmoid_binary_cross_entropy": "optax.sigmoid_binary_cross_entropy(x, y)",
    "sigmoid_focal_loss": "optax.sigmoid_focal_loss(x, y)",
}
TENSORFLOW = {
    "softmax": "tf.nn.softmax(x)",
    "log_softmax": "tf.nn.log_softmax(x)",
    "log1m_softmax": "tf.math.log1p(-tf.nn.softmax(x))",
    "logsumexp": "tf.reduce_logsumexp(x, -1)",
    "cumulative_logsumexp": "tf.math.cumulative_logsumexp(x, -1)",
    "sigmoid": "tf.sigmoid(x)",
    "log_sigmoid": "tf.math.log_sigmoid(x)",
    "softplus": "tf.math.softplus(x)",
    "softcap": "30 * tf.tanh(x / 30)",
    "xlogy": "tf.math.xlogy(x, y)",
    "xlog1py": "tf.math.xlog1py(x, y)",
    "softmax_cross_entropy_with_integer_labels": "tf.nn.sparse_softmax_cross_entropy_with_logits(y, x)",
    "softmax_cross_entropy": "tf.nn.softmax_cross_entropy_with_logits(y, x)",
    "sigmoid_binary_cross_entropy": "tf.nn.sigmoid_cross_entropy_with_logits(y, x)",
    "kl_divergence": "tf.keras.losses.KLDivergence(reduction=None)(tf.nn.softmax(x), tf.nn.softmax(y))",
}
SCIPY = {
    "softmax": "special.softmax(x, -1)",
    "log_softmax": "special.log_softmax(x, -1)",
    "log1m_softmax": "np.log1p(-special.softmax(x, -1))",
    "logsumexp": "special.logsumexp(x, -1)",
    "sigmoid": "special.expit(x)",
    "log_sigmoid": "special.log_expit(x)",
    "softplus": "np.logaddexp(0, x)",
    "softcap": "30 * np.tanh(x / 30)",
    "logit": "special.logit(x)",
    "logaddexp": "np.logaddexp(x, y)",
    "xlogy": "special.xlogy(x, y)",
    "xlog1py": "special.xlog1py(x, y)",
    "entropy": "stats.entropy(special.softmax(x, -1), axis=-1)",
    "kl_divergence": "stats.entropy(special.softmax(x, -1), special.softmax(y, -1), axis=-1)",
    "js_divergence": "distance.jensenshannon(special.softmax(x, -1), special.softmax(y, -1), axis=-1) ** 2",
}
# Name in the report -> the library whose arrays it takes, and what it offers.
PEERS = {
    "torch": ("torch", TORCH),
    "jax": ("jax", JAX),
    "optax": ("jax", OPTAX),
    "tensorflow": ("tensorflow", TENSORFLOW),
    "scipy": ("numpy", SCIPY),
}


def _scope(peer: str) -> dict[str, Any]:
    if peer == "torch":
        import torch

        return {"torch": torch, "F": torch.nn.functional, "distributions": torch.distributions}
    if peer in ("jax", "optax"):
        import jax
        import jax.scipy.special

        names = {"jax": jax, "jnp": jax.numpy, "special": jax.scipy.special}
        if peer == "optax":
            import optax

            names["optax"] = optax
        return names
    if peer == "tensorflow":
        import tensorflow as tf

        return {"tf": tf}
    from scipy import special, stats
    from scipy.spatial import distance

    return {"np": np, "special": special, "stats": stats, "distance": distance}


def function_of(peer: str, operation: str) -> Callable[..., Any] | None:
    """The peer's function of the operation's arrays."""
    expression = PEERS[peer][1].get(operation)
    if expression is None or importlib.util.find_spec(peer) is None:
        return None
    # The expressions are this file's own.
    return eval(f"lambda x, y=None: {expression}", _scope(peer))


def measure_peer(report: Report, question: Question, peer: str) -> None:
    """Value, and the gradient by its library's own automatic differentiation."""
    function = function_of(peer, question.block.operation)
    if function is None:
        return
    adapter, call = adapters.get(PEERS[peer][0]), question.call
    arrays = [adapter.array(a) for a in call.positional().values()]
    library = f"{peer}'s own"
    with np.errstate(all="ignore"):
        value = adapter.to_numpy(function(*arrays))
    judge(report, question, library, "value", None, "call", value, judged=False)
    if not adapter.autodiff:
        return
    names = list(question.gradients)
    places = [call.operation.arrays.index(name) for name in names]
    found = adapter.gradients(function, arrays, adapter.array(question.cotangent), places)
    mode, results = next(iter(found.items()))
    for name, result in zip(names, results, strict=True):
        judge(report, question, library, "gradient", name, mode, adapter.to_numpy(result), judged=False)
