"""The most memory that one step takes above its inputs, in a process of its own."""

from __future__ import annotations

import gc
import resource
import sys
from pathlib import Path
from typing import Any

from . import work
from .cases import VOCABULARY, inputs


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def measure(library: str, tokens: int, who: str) -> dict[str, Any]:
    """Bytes of a cross-entropy step with its gradient, which is part of them."""
    module = work.module_of(library)
    which = ("theirs", "ours").index(who)
    # What is loaded once belongs to no step. What is compiled for this shape does, with both of the two.
    warm = module.step(inputs((8, VOCABULARY), "moderate"))[which]
    warm()
    call = module.step(inputs((tokens, VOCABULARY), "moderate"))[which]
    gc.collect()
    before = _resident()
    top = _peak()
    call()
    after = _peak()
    # A peak before the step may hide the step's own: said, not guessed at.
    return {
        "library": library,
        "tokens": tokens,
        "vocabulary": VOCABULARY,
        "who": who,
        "bytes": after - before,
        "hidden": after == top,
    }
