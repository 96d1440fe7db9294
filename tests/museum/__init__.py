"""Defects that array libraries have or had, each with the thread that reports it and the right answer.

`EXHIBITS` is the collection. tests/test_museum.py holds every library to the right answer by uniflogits;
`python -m tests.museum.peers <library>` asks a library's own functions, for the page of the site that shows
both. Right answers are the oracle's, or stated where they are 0, infinite or an error.
"""

from __future__ import annotations

from .base import Exhibit as Exhibit
from .divergences import EXHIBITS as _DIVERGENCES
from .logspace import EXHIBITS as _LOGSPACE
from .losses import EXHIBITS as _LOSSES
from .normalizers import EXHIBITS as _NORMALIZERS

EXHIBITS: tuple[Exhibit, ...] = (*_NORMALIZERS, *_LOGSPACE, *_LOSSES, *_DIVERGENCES)
