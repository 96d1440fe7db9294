"""How far a library's answers are from the exact ones, in units in the last place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, astuple, dataclass
from typing import Any

import numpy as np

import uniflogits as ul

from .. import adapters
from ..compare import LOWEST, _hex, _shown, misses, ulp
from ..exact import Reference
from ..harness import Ready, as_function, first
from ..tolerances import ALIKE, TOLERANCES
from .references import Question
from .regimes import ONE_LARGE_TERM

# |p - q| has no second derivative where p = q; differences with the oracle's step of 2^-170 find a huge one.
KINKED = ("total_variation",)
WITHOUT_SUBNORMALS = ("jax", "tensorflow")


@dataclass
class Worst:
    """The worst number of a cell: operation, library, dtype, quantity and how it was computed."""

    operation: str
    library: str
    dtype: str
    quantity: str
    mode: str
    ulp: float
    bound: float
    regime: str
    classes: int
    where: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        return astuple(self)[:5]


class Report:
    """The worst of every cell, and the failures in words."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.worst: dict[tuple[str, ...], Worst] = {}
        self.failures: list[str] = []
        self.numbers = 0

    def add(self, one: Worst, count: int) -> None:
        self.numbers += count
        known = self.worst.get(one.key)
        if known is None or not one.ulp <= known.ulp:
            self.worst[one.key] = one

    def restore(self, results: dict[str, Any]) -> None:
        """Go on where an earlier process was stopped."""
        self.numbers, self.failures = results["numbers"], results["failures"]
        for row in results["rows"]:
            one = Worst(**row)
            self.worst[one.key] = one

    def rows(self) -> list[dict[str, Any]]:
        return [asdict(self.worst[key]) for key in sorted(self.worst)]


def errors(ours: np.ndarray, reference: Reference, dtype: str, dagger: bool, underflow: float) -> np.ndarray:
    """In ulps of the larger of result and scale, less what underflow and the dagger allow; inf: wrong."""
    size = np.maximum(np.abs(reference.high), reference.scale)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        room = np.where((size > 0) & (size < 1), -np.log(size), 0.0) if dagger else np.zeros(size.shape)
        got = np.asarray(ours).astype(np.float64)
        distance = np.abs((got - reference.high) - reference.low)
        distance = np.maximum(distance - underflow * 2.0 ** LOWEST[dtype], 0.0)
        count = np.maximum(distance / ulp(size, dtype) - room, 0.0)
    # Infinities and NaN are right or wrong.
    special = ~np.isfinite(got) | ~np.isfinite(reference.high)
    wrong = misses(ours, reference, dtype, np.zeros(size.shape))
    count = np.where(special, np.where(wrong, np.inf, 0.0), count)
    return np.where(np.isinf(reference.scale) & np.isfinite(reference.high), 0.0, count)


def judge(
    report: Report,
    question: Question,
    library: str,
    kind: str,
    argument: str | None,
    mode: str,
    numbers: np.ndarray,
    judged: bool = True,
) -> None:
    """Take one answer into the report: ours fail where they are beyond the bound.

    It is the whole value (no argument), or a "gradient" or "second" derivative by an argument.
    """
    block, dtype = question.block, question.dtype
    quantity, numbers = question.quantity(kind, argument), np.asarray(numbers)
    if numbers.shape != question.shape(argument):
        report.failures.append(f"{block.id} on {library}: {quantity} has shape {numbers.shape}")
        return
    positions, reference = question.known(kind, argument)
    ours, size = numbers.ravel()[positions], numbers.size
    row = TOLERANCES[block.operation]
    bound = row.bound(quantity) * (ALIKE.get(library, 1.0) if ONE_LARGE_TERM in block.regimes else 1.0)
    weight = float(np.abs(question.cotangent.astype(float)).max(initial=1.0))
    underflow = block.sample.underflow * {"value": 1.0, "gradient": weight, "second": 2 * weight}[kind]
    underflow *= block.summed if library in WITHOUT_SUBNORMALS else 1
    found = errors(ours, reference, dtype, row.dagger, underflow)
    if kind == "second" and block.operation in KINKED:
        found = np.where(np.abs(reference.high) > 2.0**100, 0.0, found)
    worst = int(np.argmax(found)) if found.size else 0
    examples = question.examples(positions, size)
    regimes = np.asarray(block.regimes)[examples]
    mode = f"{mode}, {block.form}" if block.form else mode
    value = float(found[worst]) if found.size else 0.0
    operation, classes = block.operation, block.classes
    cell = Worst(operation, library, dtype, quantity, mode, value, bound, str(regimes[worst]), classes)
    report.add(cell, found.size)
    if judged and not value <= bound:
        place, example = int(positions[worst]), int(examples[worst])
        arrays = {**question.call.arrays}
        if block.classes and block.plain:
            arrays = question.example(example)
        elif block.plain:
            arrays = {name: np.asarray(a)[place] for name, a in arrays.items()}
        if quantity != "value":
            arrays["cotangent"] = question.cotangent
        report.failures.append(
            f"seed {report.seed}: {operation} {dtype} on {library}, {quantity} by {mode}, "
            f"{regimes[worst]}, n={classes}, place {place}: ours {_hex(ours[worst])}, exact "
            f"{_hex(reference.high[worst])}, {value:.4g} ulp, allowed {bound}\n  called with {_shown(arrays)}"
        )


def ready(question: Question, adapter: Any) -> Ready:
    call = question.call

    def native(value: Any) -> Any:
        return adapter.array(value) if isinstance(value, np.ndarray) else value

    arrays = [native(a) for a in call.positional().values()]
    options = {**call.options, **{name: native(a) for name, a in call.keywords().items()}}
    return Ready(question.block.sample, call, arrays, options)


class _Cell:
    """What `as_function` wants to know."""

    def __init__(self, name: str) -> None:
        self.public = getattr(ul, name)


def measure_ours(report: Report, question: Question, backend: str, second: bool = True) -> None:
    """Value, first and second derivatives of uniflogits on one library, by every mode it has."""
    adapter = adapters.get(backend)
    one, public = ready(question, adapter), getattr(ul, question.block.operation)

    def judged(kind: str, argument: str | None, mode: str, result: Any) -> None:
        judge(report, question, backend, kind, argument, mode, adapter.to_numpy(result))

    with adapter.calling():
        judged("value", None, "call", first(public(*one.arrays, **one.options)))
    if question.gradients:
        cotangent = adapter.array(question.cotangent)
        for mode, name, result in first_derivatives(question, adapter, one, public, cotangent):
            judged("gradient", name, mode, result)
        if question.seconds and second:
            for mode, name, result in second_derivatives(question, adapter, one, public, cotangent):
                judged("second", name, mode, result)


def first_derivatives(
    question: Question, adapter: Any, one: Ready, public: Callable[..., Any], cotangent: Any
) -> Iterator[tuple[str, str, Any]]:
    call = question.call
    names = list(question.gradients)
    with adapter.calling():
        _, pullback = ul.vjp(public, *one.arrays, **one.options)
        closed = pullback(cotangent)
    places = [call.operation.arrays.index(name) for name in names]
    for name, place in zip(names, places, strict=True):
        yield "vjp", name, closed[place]
    function, others = as_function(_Cell(call.operation.name), one)  # type: ignore[arg-type]
    native = adapter.gradients(function, [one.arrays[0], *others], cotangent, places)
    for mode, results in native.items():
        for name, result in zip(names, results, strict=True):
            yield mode, name, result


def second_derivatives(
    question: Question, adapter: Any, one: Ready, public: Callable[..., Any], cotangent: Any
) -> Iterator[tuple[str, str, Any]]:
    operation = question.call.operation
    for name in question.seconds:
        moving = operation.arrays.index(name)
        tangent = adapter.array(question.tangents[name])
        if adapter.autodiff:
            function, others = as_function(_Cell(operation.name), one, moving)  # type: ignore[arg-type]
            array = one.arrays[moving]
            products = adapter.hessian_products(function, array, others, cotangent, tangent)
            for mode, product in products.items():
                yield mode, name, product
        if operation.rule.second_order and not moving:
            with adapter.calling():
                _, pullback = ul.vjp(ul.grad(public), *one.arrays, cotangent=cotangent, **one.options)
                yield "vjp of grad", name, pullback(tangent)[0]
