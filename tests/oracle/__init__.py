"""Exact values of every operation, independent of the library: plain textbook formulas on mpfr numbers."""

from .derivatives import gradient as gradient
from .derivatives import hessian_product as hessian_product
from .logspace import cumulative_logsumexp as cumulative_logsumexp
from .logspace import logmeanexp as logmeanexp
from .logspace import log1mexp as log1mexp
from .logspace import logsumexp as logsumexp
from .losses import sigmoid_binary_cross_entropy as sigmoid_binary_cross_entropy
from .losses import softmax_cross_entropy as softmax_cross_entropy
from .losses import softmax_cross_entropy_with_integer_labels as softmax_cross_entropy_with_integer_labels
from .normalizers import log1m_softmax as log1m_softmax
from .normalizers import log_sigmoid as log_sigmoid
from .normalizers import log_softmax as log_softmax
from .normalizers import sigmoid as sigmoid
from .normalizers import softcap as softcap
from .normalizers import softmax as softmax
from .normalizers import softplus as softplus
from .numbers import DERIVATIVE_BITS as DERIVATIVE_BITS
from .numbers import VALUE_BITS as VALUE_BITS
from .numbers import error_in_ulp as error_in_ulp
from .numbers import exact as exact
from .numbers import precision as precision
from .numbers import smallest_normal as smallest_normal
from .numbers import ulp as ulp
