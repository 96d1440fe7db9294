"""Calls of a form that was met before: what checking it has found out, kept with the operation.

Of a call whose arrays have known types, dtypes, shapes and places, and whose options are the same, nothing is
left to check but the values of its labels. Errors are never kept: such calls go the whole way each time.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .._backends import find_backend
from .dtypes import FLOATS, dtype_name
from .operation import Operation

MOST = 256  # forms per operation
_PLAIN = (int, str, float, bool, type(None))


class Known(NamedTuple):
    """A checked call without its arrays."""

    backend: Any
    options: dict[str, Any]
    axes: tuple[int, ...] | None
    shape: tuple[Any, ...]
    compute: str
    keywords: tuple[str, ...]  # options that are arrays
    numbers: dict[str, float]
    plans: tuple[Any, Any]  # for labels that could not be judged, and for others


def form_of(operation: Operation, arrays: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """A hashable description of a call; None where every call has to be looked at."""
    library = find_backend(type(arrays[0]), arrays[0]) if arrays else None
    if library is None:
        return None
    parts: list[Any] = [_form(library, value) for value in arrays]
    for name, value in options.items():
        kind = type(value)
        if kind in _PLAIN and (value is None or name not in operation.roles):
            # 1, 1.0 and True are one key, and not one option.
            parts.append((name, kind, value))
        else:
            form = _form(library, value) if name in operation.roles else None
            parts.append(None if form is None else (name, form))
    return None if None in parts else tuple(parts)


def _form(library: Any, value: Any) -> Any:
    """None for what is no array of the library too: such an argument is converted in each call."""
    return library.form(value) if find_backend(type(value), value) is library else None


def remember(operation: Operation, form: Any, call: Any) -> None:
    """Keep what is known of a call of this form."""
    checked = call.checked
    if not any(dtype_name(checked.arrays[name].dtype) in FLOATS for name in operation.partners):
        return  # the dtype of the computation is the library's default, which may change
    if len(operation.known) >= MOST:
        operation.known.clear()
    keywords = tuple(name for name in checked.arrays if name not in operation.arrays)
    numbers = {name: value for name, value in call.operands.items() if name not in checked.arrays}
    plans = (call.plan._replace(trusted=False), call.plan._replace(trusted=True))
    operation.known[form] = Known(
        checked.backend,
        checked.options,
        checked.axes,
        checked.shape,
        checked.compute,
        keywords,
        numbers,
        plans,
    )
