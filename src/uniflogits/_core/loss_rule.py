"""The rule of losses: logits and labels in, a loss per example out, weighed and reduced."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from .._math.products import product
from .._math.weighing import kept, pulled, pulled_tangent, pushed, reduced
from . import annotations as roles
from .dtypes import FLOATS, dtype_name
from .layout import Laid, gradient_dtype, in_parts, to_dtype
from .row_rules import Rowwise


class Loss(Rowwise):
    """Logits and labels in, a loss per example out, weighed and reduced.

    formula(xp, x, y, ...)      -> the raw loss of each example
    gradients(xp, x, y, ...)    -> its derivative by x, and a function that makes the one by y, which is not
                                   always asked for
    curvature(xp, x, y, t, ...) -> of the gradient by x: its derivative along t, and that of its product with
                                   t by y
    mixed(xp, x, y, u, ...)     -> of the gradient by x: its derivative along u in y (None: labels have none)
    share(xp, y, class_weights) -> what an example counts in a mean, or None: 1
    share_slope(xp, y, class_weights) -> its derivative by y
    by_label                    -> of integer labels without options: loss(xp, x, labels), its gradient twice,
                                   the second one fit for plain autodiff, and curvature(xp, x, labels, t); for
                                   a library that can attach a rule to the first two
    """

    kind = "loss"
    second_order = True

    def __init__(
        self,
        formula: Callable[..., Any],
        gradients: Callable[..., Any],
        curvature: Callable[..., Any],
        mixed: Callable[..., Any] | None = None,
        share: Callable[..., Any] | None = None,
        share_slope: Callable[..., Any] | None = None,
        by_label: tuple[Callable[..., Any], ...] = (),
    ) -> None:
        self.formula, self.gradients, self.curvature, self.mixed = formula, gradients, curvature, mixed
        self.share, self.share_slope, self.by_label = share, share_slope, by_label

    def value(self, laid: Laid) -> Any:
        xp, options = laid.xp, laid.numbers.values()
        if (
            self.by_label
            and xp.attach_label
            and laid.indices is not None
            and all(one is None for one in options)
        ):
            rules = [functools.partial(one, xp) for one in self.by_label]
            raw = xp.attach_label(*rules, laid.arrays[0], laid.indices)
            if raw is not None:
                return reduced(xp, laid.weighing, raw, None)
        raw = in_parts(laid, self.formula, self.gradients, each=laid.plan.axes is None)
        return reduced(xp, laid.weighing, raw, self._share(laid))

    def pullback(self, laid: Laid, cotangent: Any) -> tuple[Any, ...]:
        raw, share = self.formula(laid.xp, *laid.arrays, **laid.numbers), self._share(laid)
        scale, by_share = pulled(laid.xp, laid.weighing, raw, share, cotangent)
        by_x, by_y = self.gradients(laid.xp, *laid.arrays, **laid.numbers)
        return self._gradients(laid, scale, by_share, by_x, by_y)

    def pushforward(self, laid: Laid, tangents: tuple[Any, ...]) -> Any:
        xp = laid.xp
        raw, share = self.formula(laid.xp, *laid.arrays, **laid.numbers), self._share(laid)
        by_x, by_y = self.gradients(xp, *laid.arrays, **laid.numbers)
        t, u = self._tangents(laid, tangents)
        tangent = self._sum(laid, by_x * t)
        share_tangent = None
        if u is not None:
            tangent = tangent + self._sum(laid, product(xp, u, by_y()))
            if share is not None and self.share_slope is not None:
                slope = self._share_slope(laid)
                share_tangent = self._sum(laid, slope * u)
        return pushed(xp, laid.weighing, raw, share, tangent, share_tangent)

    def pullback_of_gradient(self, laid: Laid, cotangent: Any, direction: Any) -> tuple[Any, ...]:
        xp = laid.xp
        t, _ = self._tangents(laid, (direction, None))
        share = self._share(laid)
        by_x, _ = self.gradients(xp, *laid.arrays, **laid.numbers)
        # The product of gradient and direction is weighed and reduced as the loss itself is.
        scale, by_share = pulled(xp, laid.weighing, self._sum(laid, by_x * t), share, cotangent)
        bent_x, bent_y = self.curvature(xp, *laid.arrays, t, **laid.numbers)
        return self._gradients(laid, scale, by_share, bent_x, lambda: bent_y)

    def pushforward_of_gradient(self, laid: Laid, cotangent: Any, tangents: tuple[Any, ...]) -> Any:
        xp = laid.xp
        t, u = self._tangents(laid, tangents)
        raw, share = self.formula(laid.xp, *laid.arrays, **laid.numbers), self._share(laid)
        scale, _ = pulled(xp, laid.weighing, raw, share, cotangent)
        bent, _ = self.curvature(xp, *laid.arrays, t, **laid.numbers)
        if u is not None and self.mixed is not None:
            bent = bent + self.mixed(xp, *laid.arrays, u, **laid.numbers)
        out = self._spread(laid, scale) * bent
        if u is not None and share is not None and self.share_slope is not None:
            share_tangent = self._sum(laid, self._share_slope(laid) * u)
            scale_tangent = pulled_tangent(xp, laid.weighing, raw, share, cotangent, share_tangent)
            out = (
                out + self._spread(laid, scale_tangent) * self.gradients(xp, *laid.arrays, **laid.numbers)[0]
            )
        return self._restored(laid, out, 0)

    def _gradients(self, laid: Laid, scale: Any, by_share: Any, by_x: Any, by_y: Any) -> tuple[Any, ...]:
        xp = laid.xp
        scale = self._spread(laid, scale)
        first = self._restored(laid, product(xp, scale, by_x), 0)
        if not self._has_label_gradient(laid):
            return first, None
        by_y = product(xp, scale, by_y())
        if by_share is not None and self.share_slope is not None:
            by_y = by_y + self._spread(laid, by_share) * self._share_slope(laid)
        return first, self._restored(laid, by_y, 1)

    def _share(self, laid: Laid) -> Any:
        if self.share is None:
            return None
        return self.share(laid.xp, laid.arrays[1], laid.numbers["class_weights"])

    def _share_slope(self, laid: Laid) -> Any:
        assert self.share_slope is not None
        return self.share_slope(laid.xp, laid.arrays[1], laid.numbers["class_weights"])

    def _has_label_gradient(self, laid: Laid) -> bool:
        operation = laid.plan.operation
        return operation.roles["labels"] != roles.INTEGER_LABELS and dtype_name(laid.dtypes[1]) in FLOATS

    def _restored(self, laid: Laid, gradient: Any, index: int) -> Any:
        dtype = gradient_dtype(laid, index)
        # A class weight may be no number, and none times 0 either.
        gradient = kept(laid.xp, laid.weighing, gradient)
        if laid.plan.axes is None:
            return to_dtype(laid.xp, gradient, dtype)
        return self._back(laid, gradient, dtype)

    def _tangents(self, laid: Laid, tangents: tuple[Any, ...]) -> tuple[Any, Any]:
        """The tangents of logits and labels in rows; None for labels that have none."""
        rows = []
        for tangent in tangents:
            if tangent is not None and laid.plan.axes is not None:
                tangent = self._rows(laid, tangent)
                if laid.mask is not None:
                    tangent = laid.xp.where(laid.mask, tangent, 0.0)
            rows.append(tangent)
        return rows[0], rows[1]

    def _spread(self, laid: Laid, row: Any) -> Any:
        return row if laid.plan.axes is None else row[..., None]

    def _sum(self, laid: Laid, x: Any) -> Any:
        return x if laid.plan.axes is None else laid.xp.sum(x, axis=-1)
