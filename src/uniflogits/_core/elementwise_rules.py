"""Rules of elementwise operations, of one array or of two that broadcast."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._math.products import product
from .layout import Laid, gradient_of, in_parts, result_dtype, to_dtype


class Elementwise:
    """y = f(x), element by element; `first` and `second` are f' and f''."""

    kind = "elementwise"
    second_order = True

    def __init__(
        self, formula: Callable[..., Any], first: Callable[..., Any], second: Callable[..., Any]
    ) -> None:
        self.formula, self.first, self.second = formula, first, second

    def value(self, laid: Laid) -> Any:
        out = in_parts(laid, self.formula, self._slopes, each=True)
        return to_dtype(laid.xp, out, result_dtype(laid))

    def _slopes(self, xp: Any, x: Any, **numbers: Any) -> tuple[Any]:
        return (self.first(xp, x, **numbers),)

    def pullback(self, laid: Laid, cotangent: Any) -> tuple[Any, ...]:
        slope = self.first(laid.xp, *laid.arrays, **laid.numbers)
        return (gradient_of(laid, product(laid.xp, slope, cotangent)),)

    def pushforward(self, laid: Laid, tangents: tuple[Any, ...]) -> Any:
        slope = self.first(laid.xp, *laid.arrays, **laid.numbers)
        return to_dtype(laid.xp, product(laid.xp, slope, tangents[0]), result_dtype(laid))

    def pullback_of_gradient(self, laid: Laid, cotangent: Any, direction: Any) -> tuple[Any, ...]:
        curve = self.second(laid.xp, *laid.arrays, **laid.numbers)
        return (gradient_of(laid, curve * cotangent * direction),)

    def pushforward_of_gradient(self, laid: Laid, cotangent: Any, tangents: tuple[Any, ...]) -> Any:
        return self.pullback_of_gradient(laid, cotangent, tangents[0])[0]


class ElementwisePair:
    """y = f(a, b), element by element, broadcasting as the Array API does.

    first(xp, a, b, ...)  -> the derivatives by a and by b, in the shape of both together
    second(xp, a, b, ...) -> the derivatives of the first one, by a and by b
    """

    kind = "pairwise"
    second_order = True

    def __init__(
        self, formula: Callable[..., Any], first: Callable[..., Any], second: Callable[..., Any]
    ) -> None:
        self.formula, self.first, self.second = formula, first, second

    def value(self, laid: Laid) -> Any:
        out = in_parts(laid, self.formula, self.first, each=True)
        return to_dtype(laid.xp, out, result_dtype(laid))

    def pullback(self, laid: Laid, cotangent: Any) -> tuple[Any, ...]:
        slopes = self.first(laid.xp, *laid.arrays, **laid.numbers)
        return tuple(
            gradient_of(laid, product(laid.xp, slope, cotangent), i) for i, slope in enumerate(slopes)
        )

    def pushforward(self, laid: Laid, tangents: tuple[Any, ...]) -> Any:
        slopes = self.first(laid.xp, *laid.arrays, **laid.numbers)
        terms = [product(laid.xp, s, t) for s, t in zip(slopes, tangents, strict=True) if t is not None]
        return to_dtype(laid.xp, sum(terms[1:], start=terms[0]), result_dtype(laid))

    def pullback_of_gradient(self, laid: Laid, cotangent: Any, direction: Any) -> tuple[Any, ...]:
        by_aa, by_ab = self.second(laid.xp, *laid.arrays, **laid.numbers)
        scale = cotangent * direction
        return gradient_of(laid, by_aa * scale, 0), gradient_of(laid, by_ab * scale, 1)

    def pushforward_of_gradient(self, laid: Laid, cotangent: Any, tangents: tuple[Any, ...]) -> Any:
        curves = self.second(laid.xp, *laid.arrays, **laid.numbers)
        terms = [curve * t for curve, t in zip(curves, tangents, strict=True) if t is not None]
        return gradient_of(laid, sum(terms[1:], start=terms[0]) * cotangent, 0)
