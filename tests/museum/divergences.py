"""Entropies, and distances between distributions."""

from __future__ import annotations

import numpy as np

from ..specs._edges import COMPUTED
from .base import INF, Exhibit

_KL = {
    "torch": "F.kl_div(torch.log_softmax(y, -1), torch.log_softmax(x, -1), log_target=True, "
    "reduction='none').sum(-1)",
    "jax": "jnp.sum(jax.nn.softmax(x) * (jax.nn.log_softmax(x) - jax.nn.log_softmax(y)), -1)",
    "optax": "optax.losses.kl_divergence_with_log_targets(jax.nn.log_softmax(y), jax.nn.log_softmax(x))",
    "tensorflow": "tf.reduce_sum(tf.nn.softmax(x) * (tf.nn.log_softmax(x) - tf.nn.log_softmax(y)), -1)",
    "scipy": "numpy.sum(special.rel_entr(special.softmax(x, -1), special.softmax(y, -1)), -1)",
}
_JS = {
    "scipy": "scipy.spatial.distance.jensenshannon(special.softmax(x), special.softmax(y)) ** 2",
}
_BERNOULLI = "distributions.Bernoulli(logits={})"
_NEAR = np.random.default_rng(4).normal(size=(1000, 8)).astype(np.float32)
_STEP = (1e-4 * np.random.default_rng(5).normal(size=(1000, 8))).astype(np.float32)

EXHIBITS = (
    Exhibit(
        "D1",
        "entropy with a class that does not exist",
        "entropy",
        {"logits": [0.0, 1.0, -INF]},
        ("huggingface/trl#7221",),
        gradient=COMPUTED,
        peers={
            "torch": "-torch.sum(torch.softmax(x, -1) * torch.log_softmax(x, -1))",
            "jax": "-jnp.sum(jax.nn.softmax(x) * jax.nn.log_softmax(x))",
            "tensorflow": "-tf.reduce_sum(tf.nn.softmax(x) * tf.nn.log_softmax(x))",
        },
    ),
    Exhibit(
        "D2",
        "entropy of a nearly certain yes-or-no question, float32",
        "binary_entropy",
        {"logits": [20.0, -20.0, 30.0]},
        dtype="float32",
        gradient=COMPUTED,
        stated=[4.33e-8, 4.33e-8, 2.9e-12],
        peers={"torch": f"{_BERNOULLI.format('x')}.entropy()"},
    ),
    Exhibit(
        "D3",
        "divergence of two nearly certain yes-or-no questions, float32",
        "binary_kl_divergence",
        {"p_logits": [20.0], "q_logits": [21.0]},
        ("pytorch/pytorch#15288",),
        dtype="float32",
        gradient=COMPUTED,
        stated=[7.58e-10],
        peers={"torch": f"distributions.kl_divergence({_BERNOULLI.format('x')}, {_BERNOULLI.format('y')})"},
    ),
    Exhibit(
        "D4",
        "KL divergence of two nearly equal rows",
        "kl_divergence",
        {"p_logits": [1.0, 2.0, 3.0], "q_logits": [1.0, 2.0, 3.0001]},
        ("pytorch/pytorch#80488",),
        gradient=COMPUTED,
        stated=1.1135e-9,
        peers=_KL,
    ),
    Exhibit(
        "D4-many",
        "KL divergence of 1000 pairs of nearly equal rows, float32",
        "kl_divergence",
        {"p_logits": _NEAR, "q_logits": _NEAR + _STEP},
        ("pytorch/pytorch#80488",),
        dtype="float32",
        peers=_KL,
    ),
    Exhibit(
        "D5-both",
        "KL divergence where neither distribution has a class",
        "kl_divergence",
        {"p_logits": [0.0, 1.0, -INF], "q_logits": [1.0, 0.0, -INF]},
        ("google-deepmind/optax#1786",),
        gradient=COMPUTED,
        peers=_KL,
    ),
    Exhibit(
        "D5-one",
        "KL divergence where the second distribution lacks a class",
        "kl_divergence",
        {"p_logits": [0.0, 1.0, 0.0], "q_logits": [1.0, 0.0, -INF]},
        ("google-deepmind/optax#1786",),
        value=INF,
        peers=_KL,
    ),
    Exhibit(
        "D9-apart",
        "Jensen-Shannon divergence of distributions that share no class",
        "js_divergence",
        {"p_logits": [0.0, -INF], "q_logits": [-INF, 0.0]},
        ("Lightning-AI/torchmetrics#2947",),
        stated=float(np.log(2)),
        gradient=[0, 0],
        peers=_JS,
    ),
    Exhibit(
        "D9-equal",
        "Jensen-Shannon divergence of equal rows",
        "js_divergence",
        {"p_logits": [0.0, 3.0, -1.0], "q_logits": [0.0, 3.0, -1.0]},
        ("Lightning-AI/torchmetrics#2947",),
        value=0,
        gradient=[0, 0, 0],
        peers=_JS,
    ),
    Exhibit(
        "D9-near",
        "Jensen-Shannon divergence of nearly equal rows",
        "js_divergence",
        {"p_logits": [0.0, 3.0, -1.0], "q_logits": [0.0, 3.0, -1.0 + 2.0**-30]},
        ("Lightning-AI/torchmetrics#2947",),
        gradient=COMPUTED,
        peers=_JS,
    ),
)
