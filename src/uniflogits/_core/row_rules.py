"""Rules of operations along an axis: maps of rows, reductions of rows, and divergences between two."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

from .._math.products import product
from .._math.weighing import ones
from .layout import Laid, from_rows, gradient_dtype, gradient_of, result_dtype, to_dtype, to_rows


class Rowwise:
    """What operations along an axis share: the way into rows and back."""

    def _rows(self, laid: Laid, x: Any) -> Any:
        return to_rows(laid.xp, x, laid.plan.axes or ())

    def _back(self, laid: Laid, y: Any, dtype: Any, masked: float = 0.0) -> Any:
        if laid.mask is not None:
            y = laid.xp.where(laid.mask, y, masked)
        return to_dtype(laid.xp, from_rows(laid.xp, y, laid.plan.axes or (), laid.shape), dtype)


class RowMap(Rowwise):
    """Logits in, an array of their shape out; `masked` is the value of a class that does not exist.

    pushforward(xp, x, t) and pullback(xp, x, g) are the products with the Jacobian and its transpose;
    plain(xp, x) is a shorter formula, for a library that can attach one of them to it.
    """

    kind = "rowmap"
    second_order = False

    def __init__(
        self,
        formula: Callable[..., Any],
        pushforward: Callable[..., Any],
        pullback: Callable[..., Any],
        masked: float = 0.0,
        plain: Callable[..., Any] | None = None,
    ) -> None:
        self.formula, self.forward, self.backward, self.masked = formula, pushforward, pullback, masked
        self.plain = plain

    def value(self, laid: Laid) -> Any:
        (x,), xp = laid.arrays, laid.xp
        out = x if is_empty(laid) else self._attached(xp, x)
        if out is None:
            out = self.formula(xp, x, **laid.numbers)
        return self._back(laid, out, result_dtype(laid), self.masked)

    def _attached(self, xp: Any, x: Any) -> Any:
        """The shorter formula with the two products for derivatives; None where they cannot be attached."""
        if self.plain is None or xp.attach_map is None:
            return None
        rules = (functools.partial(one, xp) for one in (self.plain, self.forward, self.backward))
        return xp.attach_map(*rules, x)

    def pullback(self, laid: Laid, cotangent: Any) -> tuple[Any, ...]:
        return (self._product(laid, self.backward, cotangent, gradient_dtype(laid)),)

    def pushforward(self, laid: Laid, tangents: tuple[Any, ...]) -> Any:
        return self._product(laid, self.forward, tangents[0], result_dtype(laid))

    def _product(self, laid: Laid, rule: Callable[..., Any], t: Any, dtype: Any) -> Any:
        (x,), t = laid.arrays, self._rows(laid, t)
        if laid.mask is not None:
            t = laid.xp.where(laid.mask, t, 0.0)
        return self._back(laid, t if is_empty(laid) else rule(laid.xp, x, t, **laid.numbers), dtype)


class Reduction(Rowwise):
    """Logits in, one number per row out.

    formula(xp, x, ...) gives the row's number, or a tuple of which only the first is differentiable;
    gradient(xp, x, ...) the derivative by each class, curvature(xp, x, t, ...) its derivative along t.
    With `counts` the formula also takes `count`, how many entries of each row exist.
    """

    kind = "reduction"
    second_order = True

    def __init__(
        self,
        formula: Callable[..., Any],
        gradient: Callable[..., Any],
        curvature: Callable[..., Any],
        counts: bool = False,
    ) -> None:
        self.formula, self.gradient, self.curvature, self.counts = formula, gradient, curvature, counts

    def value(self, laid: Laid) -> Any:
        (x,) = laid.arrays
        x = without_classes(laid, x) if is_empty(laid) else x
        more = {"count": self._count(laid, x)} if self.counts else {}
        out = self.formula(laid.xp, x, **laid.numbers, **more)
        if isinstance(out, tuple):
            return tuple(self._reduced(laid, one) for one in out)
        return self._reduced(laid, out)

    def pullback(self, laid: Laid, cotangent: Any) -> tuple[Any, ...]:
        if is_empty(laid):
            return (self._back(laid, laid.arrays[0], gradient_dtype(laid)),)
        slope = self.gradient(laid.xp, *laid.arrays, **laid.numbers)
        return (self._back(laid, product(laid.xp, slope, self._row(laid, cotangent)), gradient_dtype(laid)),)

    def pushforward(self, laid: Laid, tangents: tuple[Any, ...]) -> Any:
        xp, t = laid.xp, self._rows(laid, tangents[0])
        if laid.mask is not None:
            t = xp.where(laid.mask, t, 0.0)
        slope = t if is_empty(laid) else self.gradient(xp, *laid.arrays, **laid.numbers)
        return self._reduced(laid, xp.sum(product(xp, slope, t), axis=-1))

    def pullback_of_gradient(self, laid: Laid, cotangent: Any, direction: Any) -> tuple[Any, ...]:
        return (self.pushforward_of_gradient(laid, cotangent, (direction,)),)

    def pushforward_of_gradient(self, laid: Laid, cotangent: Any, tangents: tuple[Any, ...]) -> Any:
        xp, t = laid.xp, self._rows(laid, tangents[0])
        if is_empty(laid):
            return self._back(laid, t, gradient_dtype(laid))
        if laid.mask is not None:
            t = xp.where(laid.mask, t, 0.0)
        bent = self.curvature(xp, laid.arrays[0], t, **laid.numbers)
        return self._back(laid, bent * self._row(laid, cotangent), gradient_dtype(laid))

    def _count(self, laid: Laid, x: Any) -> Any:
        existing = ones(laid.xp, x) if laid.mask is None else laid.xp.astype(laid.mask, x.dtype)
        return laid.xp.sum(existing, axis=-1, keepdims=True)

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


class Quick(NamedTuple):
    """Formulas as good as the exact one in most rows: (xp, a, ...) -> the row's number, and whether it is."""

    of_float32: Callable[..., Any]  # of logits that were float32 before they became float64
    of_most: Callable[..., Any]


class Divergence(Rowwise):
    """Logits of one or two distributions in, one number per row out.

    formula(xp, a, ...)   -> the row's number
    gradients(xp, a, ...) -> its derivatives by each class, one array per distribution
    quick                 the same as the formula for less work, in most rows

    The derivatives are given to the library's own autodiff as well, and differentiated again there.
    """

    kind = "divergence"
    second_order = False

    def __init__(
        self,
        formula: Callable[..., Any],
        gradients: Callable[..., Any],
        quick: Quick | None = None,
    ) -> None:
        self.formula, self.gradients, self.quick = formula, gradients, quick

    def value(self, laid: Laid) -> Any:
        out = laid.xp.attach(self._formula(laid), self._gradients(laid), *self._logits(laid))
        return to_dtype(laid.xp, out, result_dtype(laid))

    def pullback(self, laid: Laid, cotangent: Any) -> tuple[Any, ...]:
        xp = laid.xp
        if is_empty(laid):
            return tuple(self._unbroadcast(laid, x, i) for i, x in enumerate(laid.arrays))
        slopes = self._gradients(laid)(*laid.arrays)
        return tuple(
            self._unbroadcast(laid, product(xp, slope, cotangent[..., None]), i)
            for i, slope in enumerate(slopes)
        )

    def pushforward(self, laid: Laid, tangents: tuple[Any, ...]) -> Any:
        xp, total = laid.xp, None
        slopes = laid.arrays if is_empty(laid) else self._gradients(laid)(*laid.arrays)
        for slope, tangent in zip(slopes, tangents, strict=True):
            if tangent is None:
                continue
            t = self._rows(laid, xp.broadcast_to(tangent, laid.shape))
            if laid.mask is not None:
                t = xp.where(laid.mask, t, 0.0)
            part = xp.sum(product(xp, slope, t), axis=-1)
            total = part if total is None else total + part
        return to_dtype(xp, total, result_dtype(laid))

    def _formula(self, laid: Laid) -> Callable[..., Any]:
        exact = functools.partial(self.formula, laid.xp, **laid.numbers)
        if self.quick is None:
            return exact
        quick = Quick(*(functools.partial(formula, **laid.numbers) for formula in self.quick))
        return functools.partial(laid.xp.sift, quick, exact)

    def _gradients(self, laid: Laid) -> Callable[..., Any]:
        return lambda *rows: self.gradients(laid.xp, *rows, **laid.numbers)

    def _logits(self, laid: Laid) -> tuple[Any, ...]:
        return tuple(without_classes(laid, x) for x in laid.arrays) if is_empty(laid) else laid.arrays

    def _unbroadcast(self, laid: Laid, gradient: Any, index: int) -> Any:
        if laid.mask is not None:
            gradient = laid.xp.where(laid.mask, gradient, 0.0)
        return gradient_of(laid, from_rows(laid.xp, gradient, laid.plan.axes or (), laid.shape), index)


def is_empty(laid: Laid) -> bool:
    size = laid.xp.dims(laid.arrays[0])[-1]
    return isinstance(size, int) and size == 0


def without_classes(laid: Laid, x: Any) -> Any:
    """A row without classes is a row without mass: one class that does not exist says the same."""
    return laid.xp.sum(x, axis=-1, keepdims=True) - laid.xp.inf
