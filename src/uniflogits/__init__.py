"""Numerically stable operations on logits, for every array library alike."""

from typing import Any

from ._core.gradients import grad as grad
from ._core.gradients import jvp as jvp
from ._core.gradients import value_and_grad as value_and_grad
from ._core.gradients import vjp as vjp
from .divergences import binary_entropy as binary_entropy
from .divergences import binary_kl_divergence as binary_kl_divergence
from .divergences import cross_entropy_between as cross_entropy_between
from .divergences import entropy as entropy
from .divergences import js_divergence as js_divergence
from .divergences import kl_divergence as kl_divergence
from .divergences import total_variation as total_variation
from .logspace import cumulative_logsumexp as cumulative_logsumexp
from .logspace import log1mexp as log1mexp
from .logspace import logaddexp as logaddexp
from .logspace import logit as logit
from .logspace import logit_from_log_prob as logit_from_log_prob
from .logspace import logmeanexp as logmeanexp
from .logspace import logsubexp as logsubexp
from .logspace import logsumexp as logsumexp
from .logspace import xlog1py as xlog1py
from .logspace import xlogy as xlogy
from .losses import linear_cross_entropy as linear_cross_entropy
from .losses import sigmoid_binary_cross_entropy as sigmoid_binary_cross_entropy
from .losses import sigmoid_focal_loss as sigmoid_focal_loss
from .losses import softmax_cross_entropy as softmax_cross_entropy
from .losses import softmax_cross_entropy_with_integer_labels as softmax_cross_entropy_with_integer_labels
from .losses import softmax_focal_loss as softmax_focal_loss
from .normalizers import entmax as entmax
from .normalizers import log1m_softmax as log1m_softmax
from .normalizers import log_sigmoid as log_sigmoid
from .normalizers import log_softmax as log_softmax
from .normalizers import sigmoid as sigmoid
from .normalizers import softcap as softcap
from .normalizers import softmax as softmax
from .normalizers import softplus as softplus
from .normalizers import sparsemax as sparsemax
from .training import keras_loss as keras_loss

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name == "cross_entropy":
        raise AttributeError(
            "uniflogits has no cross_entropy, which means two things: the losses are softmax_cross_entropy "
            "(dense labels) and softmax_cross_entropy_with_integer_labels (class indices)"
        )
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
