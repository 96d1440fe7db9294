"""Arithmetic on numbers that are given by their logarithms."""

from ._cumulative_logsumexp import cumulative_logsumexp as cumulative_logsumexp
from ._log1mexp import log1mexp as log1mexp
from ._logaddexp import logaddexp as logaddexp
from ._logaddexp import logsubexp as logsubexp
from ._logit import logit as logit
from ._logit import logit_from_log_prob as logit_from_log_prob
from ._logmeanexp import logmeanexp as logmeanexp
from ._logsumexp import logsumexp as logsumexp
from ._xlogy import xlog1py as xlog1py
from ._xlogy import xlogy as xlogy
