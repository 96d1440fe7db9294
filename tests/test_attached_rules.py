"""The rules that JAX and TensorFlow attach to a value in place of its own derivatives, asked for on torch.

torch, which runs formulas, is given what attaches them: the value without derivatives, and a zero that has
those of the rule. So what the rules compute depends on no compiler, and every mode of torch's goes through
them.
"""

from __future__ import annotations

from typing import Any

import pytest

from .checks import CHECKS
from .harness import Cell

pytestmark = pytest.mark.backend("torch")
LABELS = "softmax_cross_entropy_with_integer_labels"
CELLS = [
    (name, rule, check)
    for name, rule in [("softmax", "map"), ("softmax_cross_entropy", "short"), (LABELS, "label")]
    for check in CHECKS
    # softmax has no options that are numbers.
    if (name, check) != ("softmax", "gradient_of_options")
]


class Hooks:
    """What torch's namespace gets, and which of the rules were asked for."""

    def __init__(self, xp: Any) -> None:
        self.xp, self.asked = xp, set[str]()

    def attach_map(self, value: Any, pushforward: Any, _: Any, x: Any) -> Any:
        self.asked.add("map")
        middle, step = self._step(x)
        return value(x.detach()) + pushforward(middle, step)

    def attach_short(self, value: Any, gradients: Any, exact: Any, *arrays: Any) -> Any:
        self.asked.add("short")

        def slopes(*arrays: Any) -> list[Any]:
            return [self._moved(*pair) for pair in zip(gradients(*arrays), exact(*arrays), strict=True)]

        return self._sloped(value, slopes, *arrays)

    def attach_label(self, loss: Any, gradient: Any, _: Any, curvature: Any, x: Any, labels: Any) -> Any:
        """As JAX has it, where the gradient has a rule of its own."""
        self.asked.add("label")

        def slope(x: Any) -> tuple[Any]:
            fixed = x.detach()
            return (gradient(fixed, labels) + curvature(fixed, labels, self.xp.slope(x)),)

        return self._sloped(lambda x: loss(x, labels), slope, x)

    def attach_label_exact(self, loss: Any, gradient: Any, exact: Any, _: Any, x: Any, labels: Any) -> Any:
        """As TensorFlow has it, where the gradient is differentiated by its formula."""
        self.asked.add("label")

        def slope(x: Any) -> tuple[Any]:
            return (self._moved(gradient(x, labels), exact(x, labels)),)

        return self._sloped(lambda x: loss(x, labels), slope, x)

    def _step(self, x: Any) -> tuple[Any, Any]:
        """Half a step of 0 ahead, where the rule is asked, or its own derivative would be there twice."""
        step = self.xp.slope(x)
        return x.detach() + 0.5 * step, step

    def _moved(self, short: Any, long: Any) -> Any:
        """A short form with the derivatives of a long one."""
        nothing = self.xp.where(self.xp.isfinite(long), long - long.detach(), 0.0)
        return short.detach() + nothing

    def _sloped(self, value: Any, slopes: Any, *arrays: Any) -> Any:
        value = value(*(x.detach() for x in arrays))
        middles, steps = zip(*map(self._step, arrays), strict=True)
        for slope, step in zip(slopes(*middles), steps, strict=True):
            value = value + self.xp.sum(self.xp.slope(slope * step), axis=-1)
        return value


@pytest.fixture
def hooks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Hooks:
    from uniflogits._backends.torch import TorchBackend

    xp = TorchBackend.xp
    made = Hooks(xp)
    # Eager kernels come before any formula.
    monkeypatch.setattr(TorchBackend, "_run", lambda self, kernel, plan, operands: kernel(xp, plan, operands))
    monkeypatch.setattr(
        xp, "in_parts", lambda xp, formula, _, arrays, numbers, each: formula(xp, *arrays, **numbers)
    )
    monkeypatch.setattr(xp, "attach_map", made.attach_map)
    monkeypatch.setattr(xp, "attach_short", made.attach_short)
    exact = getattr(request, "param", None) == "exact"
    monkeypatch.setattr(xp, "attach_label", made.attach_label_exact if exact else made.attach_label)
    return made


@pytest.mark.parametrize(("name", "rule", "check"), CELLS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rule(name: str, rule: str, check: str, dtype: str, hooks: Hooks, quick: bool) -> None:
    CHECKS[check](Cell(check, name, "torch", dtype), quick)
    assert rule in hooks.asked


@pytest.mark.parametrize("hooks", ["exact"], indirect=True)
@pytest.mark.parametrize("check", ["second_order", "edges"])
def test_label_rule_whose_gradient_is_a_formula(check: str, hooks: Hooks, quick: bool) -> None:
    CHECKS[check](Cell(check, LABELS, "torch", "float64"), quick)
    assert "label" in hooks.asked
