"""The kinds of operations: how formula and closed-form derivative make a value, a pullback and a tangent.

Each kind is told the mathematics on rows and does the rest: masks, reductions, layout, dtypes. All of them
offer

    value(laid)                      the operation itself
    pullback(laid, cotangent)        one gradient per positional array, None for labels that are no numbers
    pushforward(laid, tangents)      the tangent of the value
and, where `second_order` is True, the same two of the gradient by the first array
    pullback_of_gradient(laid, cotangent, direction)
    pushforward_of_gradient(laid, cotangent, tangents)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._math.products import product
from .._math.weighing import pulled, pulled_tangent, pushed, reduced
from . import annotations as roles
from .dtypes import FLOATS, dtype_name
from .layout import Laid, from_rows, gradient_dtype, result_dtype, to_dtype, to_rows


class Elementwise:
    """y = f(x), element by element; `first` and `second` are f' and f''."""

    kind = "elementwise"
    second_order = True

    def __init__(
        self, formula: Callable[..., Any], first: Callable[..., Any], second: Callable[..., Any]
    ) -> None:
        self.formula, self.first, self.second = formula, first, second

    def value(self, laid: Laid) -> Any:
        out = self.formula(laid.xp, *laid.arrays, **laid.numbers)
        return to_dtype(laid.xp, out, result_dtype(laid))

    def pullback(self, laid: Laid, cotangent: Any) -> tuple[Any, ...]:
        slope = self.first(laid.xp, *laid.arrays, **laid.numbers)
        return (to_dtype(laid.xp, product(laid.xp, slope, cotangent), gradient_dtype(laid)),)

    def pushforward(self, laid: Laid, tangents: tuple[Any, ...]) -> Any:
        slope = self.first(laid.xp, *laid.arrays, **laid.numbers)
        return to_dtype(laid.xp, product(laid.xp, slope, tangents[0]), result_dtype(laid))

    def pullback_of_gradient(self, laid: Laid, cotangent: Any, direction: Any) -> tuple[Any, ...]:
        curve = self.second(laid.xp, *laid.arrays, **laid.numbers)
        return (to_dtype(laid.xp, curve * cotangent * direction, gradient_dtype(laid)),)

    def pushforward_of_gradient(self, laid: Laid, cotangent: Any, tangents: tuple[Any, ...]) -> Any:
        return self.pullback_of_gradient(laid, cotangent, tangents[0])[0]


class _Rowwise:
    """What operations along an axis share: the way into rows and back."""

    def _rows(self, laid: Laid, x: Any) -> Any:
        return to_rows(laid.xp, x, laid.plan.axes or ())

    def _back(self, laid: Laid, y: Any, dtype: Any, masked: float = 0.0) -> Any:
        if laid.mask is not None:
            y = laid.xp.where(laid.mask, y, masked)
        return to_dtype(laid.xp, from_rows(laid.xp, y, laid.plan.axes or (), laid.shape), dtype)


class RowMap(_Rowwise):
    """Logits in, an array of their shape out; `masked` is the value of a class that does not exist.

    pushforward(xp, x, t) and pullback(xp, x, g) are the products with the Jacobian and its transpose.
    """

    kind = "rowmap"
    second_order = False

    def __init__(
        self,
        formula: Callable[..., Any],
        pushforward: Callable[..., Any],
        pullback: Callable[..., Any],
        masked: float = 0.0,
    ) -> None:
        self.formula, self.forward, self.backward, self.masked = formula, pushforward, pullback, masked

    def value(self, laid: Laid) -> Any:
        (x,) = laid.arrays
        out = x if _is_empty(laid) else self.formula(laid.xp, x, **laid.numbers)
        return self._back(laid, out, result_dtype(laid), self.masked)

    def pullback(self, laid: Laid, cotangent: Any) -> tuple[Any, ...]:
        return (self._product(laid, self.backward, cotangent, gradient_dtype(laid)),)

    def pushforward(self, laid: Laid, tangents: tuple[Any, ...]) -> Any:
        return self._product(laid, self.forward, tangents[0], result_dtype(laid))

    def _product(self, laid: Laid, rule: Callable[..., Any], t: Any, dtype: Any) -> Any:
        (x,), t = laid.arrays, self._rows(laid, t)
        if laid.mask is not None:
            t = laid.xp.where(laid.mask, t, 0.0)
        return self._back(laid, t if _is_empty(laid) else rule(laid.xp, x, t, **laid.numbers), dtype)


class Reduction(_Rowwise):
    """Logits in, one number per row out.

    formula(xp, x, ...) gives the row's number, or a tuple of which only the first is differentiable;
    gradient(xp, x, ...) the derivative by each class, curvature(xp, x, t, ...) its derivative along t.
    """

    kind = "reduction"
    second_order = True

    def __init__(
        self, formula: Callable[..., Any], gradient: Callable[..., Any], curvature: Callable[..., Any]
    ) -> None:
        self.formula, self.gradient, self.curvature = formula, gradient, curvature

    def value(self, laid: Laid) -> Any:
        out = self.formula(laid.xp, self._logits(laid), **laid.numbers)
        if isinstance(out, tuple):
            return tuple(self._reduced(laid, one) for one in out)
        return self._reduced(laid, out)

    def pullback(self, laid: Laid, cotangent: Any) -> tuple[Any, ...]:
        if _is_empty(laid):
            return (self._back(laid, laid.arrays[0], gradient_dtype(laid)),)
        slope = self.gradient(laid.xp, *laid.arrays, **laid.numbers)
        return (self._back(laid, product(laid.xp, slope, self._row(laid, cotangent)), gradient_dtype(laid)),)

    def pushforward(self, laid: Laid, tangents: tuple[Any, ...]) -> Any:
        xp, t = laid.xp, self._rows(laid, tangents[0])
        if laid.mask is not None:
            t = xp.where(laid.mask, t, 0.0)
        slope = t if _is_empty(laid) else self.gradient(xp, *laid.arrays, **laid.numbers)
        return self._reduced(laid, xp.sum(product(xp, slope, t), axis=-1))

    def pullback_of_gradient(self, laid: Laid, cotangent: Any, direction: Any) -> tuple[Any, ...]:
        return (self.pushforward_of_gradient(laid, cotangent, (direction,)),)

    def pushforward_of_gradient(self, laid: Laid, cotangent: Any, tangents: tuple[Any, ...]) -> Any:
        xp, t = laid.xp, self._rows(laid, tangents[0])
        if _is_empty(laid):
            return self._back(laid, t, gradient_dtype(laid))
        if laid.mask is not None:
            t = xp.where(laid.mask, t, 0.0)
        bent = self.curvature(xp, laid.arrays[0], t, **laid.numbers)
        return self._back(laid, bent * self._row(laid, cotangent), gradient_dtype(laid))

    def _logits(self, laid: Laid) -> Any:
        (x,) = laid.arrays
        if not _is_empty(laid):
            return x
        # A row without classes is a row without mass: one class that does not exist says the same.
        return laid.xp.sum(x, axis=-1, keepdims=True) - laid.xp.inf

    def _reduced(self, laid: Laid, out: Any) -> Any:
        if dict(laid.plan.options)["keepdims"]:
            axes = laid.plan.axes or ()
            out = laid.xp.reshape(out, tuple(1 if i in axes else size for i, size in enumerate(laid.shape)))
        return to_dtype(laid.xp, out, result_dtype(laid))

    def _row(self, laid: Laid, cotangent: Any) -> Any:
        if dict(laid.plan.options)["keepdims"]:
            axes = laid.plan.axes or ()
            lead = tuple(size for i, size in enumerate(laid.shape) if i not in axes)
            cotangent = laid.xp.reshape(cotangent, lead)
        return cotangent[..., None]


class Loss(_Rowwise):
    """Logits and labels in, a loss per example out, weighed and reduced.

    formula(xp, x, y, ...)      -> the raw loss of each example, and what it counts in a mean (None: 1)
    gradients(xp, x, y, ...)    -> its derivatives by x and by y
    curvature(xp, x, y, t, ...) -> of the gradient by x: its derivative along t, and that of its product with
                                   t by y
    mixed(xp, x, y, u, ...)     -> of the gradient by x: its derivative along u in y
    share_slope(xp, x, y, ...)  -> the derivative of what an example counts by y (None: there is none)
    """

    kind = "loss"
    second_order = True

    def __init__(
        self,
        formula: Callable[..., Any],
        gradients: Callable[..., Any],
        curvature: Callable[..., Any],
        mixed: Callable[..., Any],
        share_slope: Callable[..., Any] | None = None,
    ) -> None:
        self.formula, self.gradients, self.curvature, self.mixed = formula, gradients, curvature, mixed
        self.share_slope = share_slope

    def value(self, laid: Laid) -> Any:
        return reduced(laid.xp, laid.weighing, *self.formula(laid.xp, *laid.arrays, **laid.numbers))

    def pullback(self, laid: Laid, cotangent: Any) -> tuple[Any, ...]:
        raw, share = self.formula(laid.xp, *laid.arrays, **laid.numbers)
        scale, by_share = pulled(laid.xp, laid.weighing, raw, share, cotangent)
        by_x, by_y = self.gradients(laid.xp, *laid.arrays, **laid.numbers)
        return self._gradients(laid, scale, by_share, by_x, by_y)

    def pushforward(self, laid: Laid, tangents: tuple[Any, ...]) -> Any:
        xp = laid.xp
        raw, share = self.formula(laid.xp, *laid.arrays, **laid.numbers)
        by_x, by_y = self.gradients(xp, *laid.arrays, **laid.numbers)
        t, u = self._tangents(laid, tangents)
        tangent = self._sum(laid, by_x * t)
        share_tangent = None
        if u is not None:
            tangent = tangent + self._sum(laid, product(xp, u, by_y))
            if share is not None and self.share_slope is not None:
                slope = self.share_slope(xp, *laid.arrays, **laid.numbers)
                share_tangent = self._sum(laid, slope * u)
        return pushed(xp, laid.weighing, raw, share, tangent, share_tangent)

    def pullback_of_gradient(self, laid: Laid, cotangent: Any, direction: Any) -> tuple[Any, ...]:
        xp = laid.xp
        t, _ = self._tangents(laid, (direction, None))
        _, share = self.formula(xp, *laid.arrays, **laid.numbers)
        by_x, _ = self.gradients(xp, *laid.arrays, **laid.numbers)
        # The product of gradient and direction is weighed and reduced as the loss itself is.
        scale, by_share = pulled(xp, laid.weighing, self._sum(laid, by_x * t), share, cotangent)
        bent_x, bent_y = self.curvature(xp, *laid.arrays, t, **laid.numbers)
        return self._gradients(laid, scale, by_share, bent_x, bent_y)

    def pushforward_of_gradient(self, laid: Laid, cotangent: Any, tangents: tuple[Any, ...]) -> Any:
        xp = laid.xp
        t, u = self._tangents(laid, tangents)
        raw, share = self.formula(laid.xp, *laid.arrays, **laid.numbers)
        scale, _ = pulled(xp, laid.weighing, raw, share, cotangent)
        bent, _ = self.curvature(xp, *laid.arrays, t, **laid.numbers)
        if u is not None:
            bent = bent + self.mixed(xp, *laid.arrays, u, **laid.numbers)
        out = self._spread(laid, scale) * bent
        if u is not None and share is not None and self.share_slope is not None:
            share_tangent = self._sum(laid, self.share_slope(xp, *laid.arrays, **laid.numbers) * u)
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
        by_y = product(xp, scale, by_y)
        if by_share is not None and self.share_slope is not None:
            by_y = by_y + self._spread(laid, by_share) * self.share_slope(xp, *laid.arrays, **laid.numbers)
        return first, self._restored(laid, by_y, 1)

    def _has_label_gradient(self, laid: Laid) -> bool:
        operation = laid.plan.operation
        return operation.roles["labels"] != roles.INTEGER_LABELS and dtype_name(laid.dtypes[1]) in FLOATS

    def _restored(self, laid: Laid, gradient: Any, index: int) -> Any:
        dtype = gradient_dtype(laid, index)
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


def _is_empty(laid: Laid) -> bool:
    size = laid.xp.dims(laid.arrays[0])[-1]
    return isinstance(size, int) and size == 0
