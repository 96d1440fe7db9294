"""Losses that take logits."""

from ._focal_loss import sigmoid_focal_loss as sigmoid_focal_loss
from ._focal_loss import softmax_focal_loss as softmax_focal_loss
from ._linear_cross_entropy import linear_cross_entropy as linear_cross_entropy
from ._sigmoid_binary_cross_entropy import sigmoid_binary_cross_entropy as sigmoid_binary_cross_entropy
from ._softmax_cross_entropy import softmax_cross_entropy as softmax_cross_entropy
from ._softmax_cross_entropy import (
    softmax_cross_entropy_with_integer_labels as softmax_cross_entropy_with_integer_labels,
)
