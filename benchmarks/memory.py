"""The most memory that one step takes above its inputs, in a process of its own."""

from __future__ import annotations

import contextlib
import gc
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import work
from .cases import LINEAR, VOCABULARY, inputs, products


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def _forget_peak() -> None:
    """Let the peak begin again at what is resident now, where the system can: Linux."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _peak() -> int:
    with contextlib.suppress(OSError):
        status = Path("/proc/self/status").read_text()
        return 1024 * int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def measure(library: str, tokens: int, who: str) -> dict[str, Any]:
    """Bytes of a cross-entropy step with its gradient, which is part of them."""
    module = work.module_of(library)
    which = ("theirs", "ours").index(who)
    found = _above(library, *(module.step(inputs((n, VOCABULARY), "moderate"))[which] for n in (8, tokens)))
    return {"library": library, "tokens": tokens, "vocabulary": VOCABULARY, "who": who, **found}


def measure_linear(library: str, number: int, who: str) -> dict[str, Any]:
    """The same of a step whose logits are products: the module's pair of that number."""
    module = work.module_of(library)
    small, whole = (list(module.linear(products(shape)))[number] for shape in ((8, 1000, 16), LINEAR))
    found = _above(library, getattr(small, who), getattr(whole, who))
    return {"what": whole.what, "peer": whole.peer, "shape": LINEAR, "who": who, **found}


def _above(library: str, warm: Callable[[], Any], call: Callable[[], Any]) -> dict[str, Any]:
    # What is loaded once belongs to no step, and neither does what XLA needs to compile one.
    warm()
    if library == "jax":
        call()
    gc.collect()
    _forget_peak()
    before = _resident()
    top = _peak()
    call()
    after = _peak()
    # Where the peak cannot be forgotten, an earlier one may hide the step's own: said, not guessed at.
    return {"bytes": after - before, "hidden": after == top}
