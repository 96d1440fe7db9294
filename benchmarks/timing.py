"""Two calls timed alternately, and the ratio of each pair: noise that lasts longer than a pair cancels."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from typing import Any

# What a sample is measured by. Of one thread it is the CPU time: the same number on an idle machine, and a
# steadier one where others compute too.
clock = time.perf_counter

SHORTEST = 1e-2  # seconds that one sample takes at least, by repeating the call


def by_cpu_time() -> None:
    global clock
    clock = time.process_time


def seconds(call: Callable[[], Any], times: int) -> float:
    start = clock()
    for _ in range(times):
        call()
    return (clock() - start) / times


def repeats(call: Callable[[], Any]) -> int:
    once = min(seconds(call, 1) for _ in range(3))
    return max(1, math.ceil(SHORTEST / once))


def paired(theirs: Callable[[], Any], ours: Callable[[], Any], pairs: int) -> dict[str, Any]:
    """Seconds of both calls and the median of `pairs` ratios ours / theirs."""
    times = {call: repeats(call) for call in (theirs, ours)}
    samples = []
    for number in range(pairs):
        # Who goes first changes: the second finds the caches as the first has left them.
        order = (theirs, ours) if number % 2 == 0 else (ours, theirs)
        took = {call: seconds(call, times[call]) for call in order}
        samples.append((took[theirs], took[ours]))
    ratios = sorted(b / a for a, b in samples)
    return {
        "pairs": pairs,
        "theirs_seconds": statistics.median(a for a, _ in samples),
        "ours_seconds": statistics.median(b for _, b in samples),
        "ratio": statistics.median(ratios),
        "ratio_quartiles": [ratios[len(ratios) // 4], ratios[-1 - len(ratios) // 4]],
    }


def best(call: Callable[[], Any], samples: int) -> float:
    times = repeats(call)
    return min(seconds(call, times) for _ in range(samples))
