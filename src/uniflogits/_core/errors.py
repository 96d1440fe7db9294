"""How errors read: the operation, the argument, what was expected, what came."""

from __future__ import annotations

from typing import Any


def type_error(operation: str, text: str) -> TypeError:
    return TypeError(f"{operation}: {text}")


def value_error(operation: str, text: str) -> ValueError:
    return ValueError(f"{operation}: {text}")


def shown(shape: Any) -> str:
    """A shape as a tuple of ints; a dimension that a tracer does not know is written "?"."""
    sizes = [str(size) if isinstance(size, int) else "?" for size in shape]
    return f"({sizes[0]},)" if len(sizes) == 1 else f"({', '.join(sizes)})"


def class_name(value: Any) -> str:
    """A type as users import it: "numpy.ndarray", "torch.Tensor", "list"."""
    kind = type(value)
    root = kind.__module__.split(".", 1)[0]
    return kind.__qualname__ if root == "builtins" else f"{root}.{kind.__qualname__}"
