"""Products in which 0 · inf is 0, with derivatives to match."""

from __future__ import annotations

from typing import Any


def product(xp: Any, factor: Any, value: Any) -> Any:
    """factor · value, and 0 where the factor is 0 and the value infinite.

    Only infinite values are replaced, so the derivative by the factor stays the value itself wherever that is
    finite.
    """
    return factor * xp.where((factor == 0) & xp.isinf(value), 0.0, value)
