"""From logits to probabilities and their logarithms."""

from ._entmax import entmax as entmax
from ._log1m_softmax import log1m_softmax as log1m_softmax
from ._log_softmax import log_softmax as log_softmax
from ._sigmoid import log_sigmoid as log_sigmoid
from ._sigmoid import sigmoid as sigmoid
from ._softcap import softcap as softcap
from ._softmax import softmax as softmax
from ._softplus import softplus as softplus
from ._sparsemax import sparsemax as sparsemax
