"""Arithmetic on numbers that are given by their logarithms."""

from ._logmeanexp import logmeanexp as logmeanexp
from ._logsumexp import logsumexp as logsumexp
