"""The exact answers to a block, example by example: the specs' oracles, derivatives by their differences."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from .. import answers, exact
from ..call import Call, make_call
from ..exact import Reference
from ..harness import as_dtype, spec_of
from .blocks import Block, rng_of

# Of many classes an example's derivatives take seconds: so many examples have them.
FEW = 2


@dataclasses.dataclass
class Question:
    """A block in one dtype: the call, what its derivatives are weighted by, and what is exact."""

    block: Block
    call: Call
    cotangent: np.ndarray
    tangents: dict[str, np.ndarray]
    value: Reference
    value_positions: np.ndarray | None = None  # where that is known; None: everywhere
    # Of the gradient and of the Hessian's product by each array: positions in it, and the numbers there.
    gradients: dict[str, tuple[np.ndarray, Reference]] = dataclasses.field(default_factory=dict)
    seconds: dict[str, tuple[np.ndarray, Reference]] = dataclasses.field(default_factory=dict)

    @property
    def dtype(self) -> str:
        return self.call.dtype

    def known(self, kind: str, argument: str | None) -> tuple[np.ndarray, Reference]:
        """Flat positions in the value, or in a derivative by an argument, and the numbers there."""
        if argument is not None:
            return (self.gradients if kind == "gradient" else self.seconds)[argument]
        flat = Reference(*(getattr(self.value, field).ravel() for field in ("high", "low", "scale")))
        return np.arange(flat.high.size) if self.value_positions is None else self.value_positions, flat

    def shape(self, argument: str | None) -> tuple[int, ...]:
        """Of the value, or of a derivative by an argument."""
        return np.shape(self.cotangent if argument is None else self.call.arrays[argument])

    def quantity(self, kind: str, argument: str | None) -> str:
        return kind if argument in (None, self.call.operation.partners[0]) else f"{kind} by {argument}"

    def examples(self, positions: np.ndarray, size: int) -> np.ndarray:
        """Of which example each flat position is in an array of `size` entries."""
        count, positions = len(self.block.regimes), np.asarray(positions)
        return positions % count if self._in_columns else positions * count // max(size, 1)

    def example(self, index: int) -> dict[str, np.ndarray]:
        """The arrays of one example."""
        axis = -1 if self._in_columns else 0
        return {name: np.take(a, index, axis=axis) for name, a in self.call.arrays.items()}

    @property
    def _in_columns(self) -> bool:
        return bool(self.block.classes) and self.call.options.get("axis") == 0


def joined(parts: list[Reference]) -> Reference:
    return Reference(*(np.concatenate([getattr(p, f) for p in parts]) for f in ("high", "low", "scale")))


def _weights(rng: Any, shape: tuple[int, ...], dtype: str, by_class: bool) -> np.ndarray:
    """Numbers that every dtype holds; every other row along one class only, where the bound is tightest."""
    numbers = rng.integers(1, 33, size=shape) / 16 * rng.choice([-1.0, 1.0], size=shape)
    if by_class and len(shape) == 2:
        alone = np.arange(shape[1]) == rng.integers(shape[1], size=shape[0])[:, None]
        numbers = np.where((np.arange(shape[0]) % 2 == 0)[:, None] | alone, numbers, 0.0)
    return as_dtype(numbers, dtype)


def _examples(question_call: Call, block: Block) -> list[Call]:
    if not block.classes or not block.plain:
        return [question_call]
    count = len(block.regimes)
    return [
        dataclasses.replace(
            question_call, arrays={name: a[i : i + 1] for name, a in question_call.arrays.items()}
        )
        for i in range(count)
    ]


def ask(block: Block, dtype: str, seed: int, gradient: bool = True, second: bool = False) -> Question:
    spec, call = spec_of(block.operation), make_call(block.operation, block.sample, dtype)
    rng = rng_of(seed, block.operation, block.sample.id, dtype, "cotangent")
    examples = _examples(call, block)
    with answers.unkept():
        value = _joined_values([exact.values(spec, one)[0] for one in examples])
        ct = _weights(rng, value.high.shape, call.result_dtype, bool(block.classes))
        question = Question(block, call, ct, {}, value)
        for name in call.operation.partners:
            tangent = _weights(rng, np.shape(call.arrays[name]), dtype, bool(block.classes))
            question.tangents[name] = tangent
            cut = [slice(i, i + 1) if len(examples) > 1 else ... for i in range(len(examples))]
            some = (
                rng.permutation(len(examples))[: FEW // len(call.operation.partners)].tolist()
                if block.classes > 100
                else range(len(examples))
            )
            if gradient and not block.sample.values_only:
                found = {i: exact.gradient(spec, examples[i], name, ct[cut[i]]) for i in some}
                question.gradients[name] = _placed(found, question, name, len(examples))
            if second and not block.sample.values_only:
                found = {
                    i: exact.hessian_product(spec, examples[i], name, ct[cut[i]], tangent[cut[i]])
                    for i in some
                }
                question.seconds[name] = _placed(found, question, name, len(examples))
    return question


def _joined_values(parts: list[Reference]) -> Reference:
    return parts[0] if len(parts) == 1 else joined(parts)


def _placed(
    found: dict[int, tuple[np.ndarray, Reference]], question: Question, name: str, examples: int
) -> tuple[np.ndarray, Reference]:
    """Positions in an example become positions in the block."""
    size = np.size(question.call.arrays[name]) // examples
    positions = np.concatenate([places + i * size for i, (places, _) in found.items()])
    return positions, joined([reference for _, reference in found.values()])
