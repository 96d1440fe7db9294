"""Arithmetic on numbers that are given by their logarithms."""

from ._logsumexp import logsumexp as logsumexp
