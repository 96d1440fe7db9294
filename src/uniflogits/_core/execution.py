"""Running an operation: what happens between the checked arguments and the formula, and after it.

A *kernel* is a function of (namespace, plan, operands). The plan is static and hashable, the operands are
arrays and numbers, so a backend may compile a kernel once per plan. Kernels lay every array out with its
classes along the last axis, so that formulas and derivative rules know one layout only.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .arguments import Arguments, check
from .errors import shown, value_error
from .forms import form_of, remember
from .labels import bring_in_labels, check_labels
from .layout import Plan, lay_out
from .operation import Operation
from .options import NUMBERS
from .shapes import check_shapes

# Numbers that leave the result as it is are not given to the formula at all.
_NEUTRAL = {"gamma": 0.0, "label_smoothing": 0.0, "z_loss": 0.0}


class Call(NamedTuple):
    """One checked call, ready for any kernel."""

    checked: Arguments
    plan: Plan
    operands: dict[str, Any]  # arrays and numbers by name

    def run(self, kernel: Any, **more: Any) -> Any:
        operands = {**self.operands, **more} if more else self.operands
        return self.checked.backend.run(kernel, self.plan, operands)


def prepare(operation: Operation, arrays: tuple[Any, ...], options: dict[str, Any]) -> Call:
    form = form_of(operation, arrays, options)
    if form is None:
        return _prepare(operation, arrays, options)
    known = operation.known.get(form)
    if known is None:
        made = _prepare(operation, arrays, options)
        remember(operation, form, made)
        return made
    given = dict(zip(operation.arrays, arrays, strict=True))
    for name in known.keywords:
        given[name] = options[name]
    checked = Arguments(known.backend, given, known.options, known.axes, known.shape, known.compute)
    plan = known.plans[check_labels(operation, checked)]
    return Call(checked, plan, {**given, **known.numbers})


def _prepare(operation: Operation, arrays: tuple[Any, ...], options: dict[str, Any]) -> Call:
    checked = check(operation, arrays, options)
    check_shapes(operation, checked)
    _check_classes(operation, checked)
    trusted = check_labels(operation, checked)
    checked = bring_in_labels(checked)
    static, numbers = [], {}
    for key, value in checked.options.items():
        if key in NUMBERS:
            if value != _NEUTRAL.get(key):
                numbers[key] = value
        else:
            static.append((key, value))
    plan = Plan(
        operation,
        checked.axes,
        checked.compute,
        checked.backend.index_name(checked.arrays[operation.arrays[0]]),
        tuple(static),
        trusted,
    )
    return Call(checked, plan, {**checked.arrays, **numbers})


def call(operation: Operation, arrays: tuple[Any, ...], options: dict[str, Any]) -> Any:
    return prepare(operation, arrays, options).run(evaluate)


def evaluate(xp: Any, plan: Plan, operands: dict[str, Any]) -> Any:
    return plan.operation.rule.value(lay_out(xp, plan, operands))


def _check_classes(operation: Operation, checked: Arguments) -> None:
    if operation.rule.kind != "loss" or checked.axes is None:
        return
    shape = checked.shape
    if any(shape[axis] == 0 for axis in checked.axes):
        raise value_error(
            operation.name,
            f"logits must have at least one class, got shape {shown(shape)} with axis={checked.axes}",
        )
