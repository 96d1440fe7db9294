"""torch's modes, layouts and devices without values: two calls of every operation in each of them."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from uniflogits._core.operation import OPERATIONS

from .harness import Cell, Ready, first, ready, run

pytestmark = pytest.mark.backend("torch")
every = pytest.mark.parametrize("name", list(OPERATIONS))


def _calls(name: str) -> Iterator[tuple[Cell, Ready]]:
    """A plain call and one with many options."""
    cell = Cell("torch_modes", name, "torch", "float32")
    samples = cell.samples()
    richest = max(samples, key=lambda one: len(one.options) + len(one.arrays))
    for sample in dict.fromkeys([id(samples[0]), id(richest)]):
        yield cell, ready(cell, next(one for one in samples if id(one) == sample))


def _on(one: Ready, change: Callable[[Any], Any]) -> Ready:
    """The call with every tensor changed, keywords too."""
    options = {key: change(value) if hasattr(value, "shape") else value for key, value in one.options.items()}
    arrays = [change(value) if hasattr(value, "shape") else value for value in one.arrays]
    return Ready(one.sample, one.call, arrays, options)


def _same(ours: Any, expected: Any) -> None:
    import torch

    torch.testing.assert_close(ours, expected, rtol=0, atol=0, equal_nan=True)


@every
def test_inference_mode_and_no_grad(name: str) -> None:
    import torch

    for cell, one in _calls(name):
        expected = first(run(cell, one))
        with torch.inference_mode():
            value = first(run(cell, _on(one, torch.clone)))
            assert value.is_inference()
        _same(value.clone(), expected)
        with torch.no_grad():
            leaf = _on(one, lambda a: a.clone().requires_grad_(a.is_floating_point()))
            value = first(run(cell, leaf))
        assert not value.requires_grad
        _same(value, expected)


@every
def test_autocast(name: str) -> None:
    """What is asked to save digits in matrix products loses none here."""
    import torch

    for cell, one in _calls(name):
        expected = first(run(cell, one))
        with torch.autocast("cpu", dtype=torch.bfloat16):
            value = first(run(cell, one))
        assert value.dtype == expected.dtype
        _same(value, expected)


@every
def test_layouts(name: str) -> None:
    """Transposed, strided and expanded tensors give what contiguous ones give; so do their gradients."""
    import torch

    def strided(a: Any) -> Any:
        wide = torch.stack([a, torch.zeros_like(a)], dim=-1)
        return wide[..., 0]

    def turned(a: Any) -> Any:
        return a.mT.contiguous().mT if a.ndim > 1 else strided(a)

    def expanded(a: Any) -> Any:
        return a[:1].expand(a.shape) if a.ndim > 1 else a

    for cell, one in _calls(name):
        for change in (strided, turned, expanded):
            given = _on(one, change)
            plain = _on(given, torch.Tensor.contiguous)
            values, gradients = [], []
            for each in (given, plain):
                leaf = each.arrays[0].detach().requires_grad_()
                moved = Ready(each.sample, each.call, [leaf, *each.arrays[1:]], each.options)
                values.append(first(run(cell, moved)))
                gradients += torch.autograd.grad(values[-1].sum(), leaf)
            assert gradients[0].shape == one.arrays[0].shape
            torch.testing.assert_close(values[0], values[1], rtol=1e-5, atol=1e-6, equal_nan=True)
            torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-5, atol=1e-6, equal_nan=True)


@every
def test_requires_grad_of_some(name: str) -> None:
    """Every choice of the floating tensors gets the gradients it gets where all of them are asked for."""
    import torch

    for cell, one in _calls(name):
        floats = [i for i, a in enumerate(one.arrays) if a.is_floating_point()]
        found: dict[tuple[int, ...], dict[int, Any]] = {}
        for chosen in itertools.chain.from_iterable(
            itertools.combinations(floats, count) for count in range(len(floats), -1, -1)
        ):
            arrays = [a.clone().requires_grad_(i in chosen) for i, a in enumerate(one.arrays)]
            value = first(run(cell, Ready(one.sample, one.call, arrays, one.options)))
            assert value.requires_grad is bool(chosen), chosen
            if chosen:
                gradients = torch.autograd.grad(value.sum(), [arrays[i] for i in chosen])
                found[chosen] = dict(zip(chosen, gradients, strict=True))
        for chosen, gradients in found.items():
            for i, gradient in gradients.items():
                torch.testing.assert_close(
                    gradient, found[tuple(floats)][i], rtol=1e-5, atol=1e-6, equal_nan=True, msg=f"{chosen}"
                )


@every
@pytest.mark.parametrize("kind", ["fake", "meta"])
def test_without_values(name: str, kind: str) -> None:
    """Shapes and dtypes are right, backwards too, where no value can be read: an `.item()` raises."""
    import torch
    from torch._subclasses.fake_tensor import FakeTensorMode

    for cell, one in _calls(name):
        expected = first(run(cell, one))
        mode = FakeTensorMode()
        given = _on(one, mode.from_tensor if kind == "fake" else lambda a: a.to("meta"))
        leaf = given.arrays[0].detach().requires_grad_()
        moved = Ready(given.sample, given.call, [leaf, *given.arrays[1:]], given.options)
        with mode if kind == "fake" else contextlib.nullcontext():
            value = first(run(cell, moved))
            (gradient,) = torch.autograd.grad(value.sum(), leaf)
        assert (value.shape, value.dtype) == (expected.shape, expected.dtype)
        assert (gradient.shape, gradient.dtype) == (leaf.shape, leaf.dtype)
