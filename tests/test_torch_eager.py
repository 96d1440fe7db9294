"""torch's plain eager calls, which make values and gradients of a few rows or entries at a time."""

from __future__ import annotations

import numpy as np
import pytest

import uniflogits as ul
from uniflogits._core.operation import OPERATIONS

from .harness import Cell, as_function, first, parameter, random_like, ready, run
from .judging import check_gradient, check_value
from .specs.base import Sample

pytestmark = pytest.mark.backend("torch")

CELLS = {name: Cell("gradient", name, "torch", "float32") for name in OPERATIONS}
OF_ROWS = ("softmax", "log_softmax", "logsumexp")


@pytest.fixture
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    from uniflogits._backends import _torch_eager, _torch_label, _torch_loss, _torch_targets

    monkeypatch.setattr(_torch_eager, "BLOCK", 5)  # for each thread
    monkeypatch.setattr(_torch_eager, "PART", 5)
    for core in (_torch_label, _torch_targets):
        monkeypatch.setattr(core, "KEPT", 0)
    monkeypatch.setattr(_torch_loss, "READY", 0)
    monkeypatch.setattr(_torch_label, "FEW", 0)


@pytest.mark.parametrize("cell", [parameter(cell) for cell in CELLS.values()])
@pytest.mark.usefixtures("_small_blocks")
def test_blocks(cell: Cell, quick: bool) -> None:
    """A few rows, or entries of one, are several blocks then: the matrix's samples, by its bounds."""
    _judge(cell, cell.samples(quick))


@pytest.mark.parametrize("operation", OF_ROWS)
def test_beside_nan(operation: str) -> None:
    """A row with a NaN says nothing of the others in its block: they are as confident as before."""
    cell, x = CELLS[operation], np.asarray([[np.nan, 1, 0], [30, 0, 1], [0.5, 0, -np.inf], [-200, 0, -95]])
    _judge(cell, [Sample("beside NaN", {cell.op.arrays[0]: x})])


def _judge(cell: Cell, samples: list[Sample]) -> None:
    failures, adapter = cell.failures(), cell.adapter
    for sample in samples:
        one = ready(cell, sample)
        value = first(run(cell, one))
        check_value(cell, one, failures, sample.id, adapter.to_numpy(value))
        ct = random_like(tuple(value.shape), adapter.dtype(value), cell.operation, sample.id)
        function, others = as_function(cell, one)
        floating = one.call.floating()
        found = adapter.gradients(function, [one.arrays[0], *others], adapter.array(ct), floating)
        for i, gradient in zip(floating, found["backward"], strict=True):
            name = cell.op.arrays[i]
            check_gradient(
                cell, one, failures, f"{sample.id} by {name}", adapter.to_numpy(gradient), name, ct
            )
    failures.finish()


@pytest.mark.usefixtures("_small_blocks")
def test_derivative_of_the_backward_pass() -> None:
    import torch

    x = torch.from_numpy(np.random.default_rng(4).normal(size=(6, 5))).requires_grad_()
    for function in (ul.softmax, ul.log_softmax, ul.softplus):
        assert torch.autograd.gradgradcheck(function, x)


@pytest.mark.parametrize("cell", [parameter(cell) for name, cell in CELLS.items() if name != "softmax"])
def test_results_are_written_to(cell: Cell) -> None:
    """As `loss *= mask` does: the gradient follows, for nothing of the result is kept."""
    import torch

    one = ready(cell, cell.samples(most=1)[0])
    gradients = []
    for in_place in (False, True):
        leaf = one.arrays[0].detach().clone().requires_grad_()
        value = first(cell.public(leaf, *one.arrays[1:], **one.options))
        value = value.mul_(2) if in_place else value * 2
        gradients.append(torch.autograd.grad(value.sum(), leaf)[0].numpy())
    np.testing.assert_array_equal(*gradients)


def test_a_changed_softmax_is_refused() -> None:
    """Its backward pass is made of the result, as that of torch's own."""
    import torch

    p = ul.softmax(torch.zeros(2, 3, requires_grad=True))
    p.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        p.sum().backward()


def test_powers_below_normal_numbers() -> None:
    """In float32 they are 0, from two steps above the last normal number on."""
    import torch

    from uniflogits._backends._torch_eager import powers

    d = torch.tensor([0.0, -1.0, -87.336525, -87.33654, -90.0, -1e30, -np.inf])
    found = powers(d, torch.empty_like(d))
    assert torch.equal(found[:3], torch.exp(d[:3]))
    assert not found[3:].any()
    wide = torch.tensor([-700.0, -708.0, -720.0, -np.inf], dtype=torch.float64)
    assert torch.equal(powers(wide, torch.empty_like(wide)), torch.exp(wide))


@pytest.mark.parametrize("few", [False, True])
@pytest.mark.parametrize(
    "operation", ["logsumexp", "log_softmax", "softmax_cross_entropy_with_integer_labels"]
)
def test_sums_of_terms_below_normal_numbers(
    operation: str, few: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nine of them are a normal number, of which no result may miss more than one."""
    from uniflogits._backends import _torch_label

    if not few:
        monkeypatch.setattr(_torch_label, "FEW", 0)
    cell, x = CELLS[operation], np.asarray([[0.0] + [-89.0] * 9])
    assert 9 * np.exp(-89.0) > np.finfo("float32").tiny
    labels = {} if len(cell.op.arrays) == 1 else {"labels": np.asarray([0])}
    _judge(cell, [Sample("faint", {cell.op.arrays[0]: x, **labels})])


REMOVED = {"ignored": {"ignore_index": 7}, "of weight 0": {"weights": [1.0, 0.0, 1.0]}}


@pytest.mark.parametrize("removed", REMOVED.values(), ids=REMOVED)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32", "uint64", "int8", "int32"])
def test_labels_of_any_integer_dtype_beside_a_removed_row(dtype: str, removed: dict) -> None:
    import torch

    x = torch.tensor([[1.0, 2.0, 3.0], [3.0, 1.0, 0.0], [0.0, 0.5, 1.0]])
    labels = torch.tensor([0, 7 if "ignore_index" in removed else 1, 2])
    options = {name: torch.tensor(given) if name == "weights" else given for name, given in removed.items()}
    loss = ul.softmax_cross_entropy_with_integer_labels
    expected = loss(x, labels, **options)
    assert expected[1] == 0
    torch.testing.assert_close(loss(x, labels.to(getattr(torch, dtype)), **options), expected, rtol=0, atol=0)


@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_a_removed_row_weighs_is_not_looked_at(number: float, reduction: str) -> None:
    import torch

    labels, given = np.asarray([0, -100]), {"ignore_index": -100, "reduction": reduction}
    x = np.asarray([[1.0, 2.0, 3.0], [3.0, 1.0, 0.0]])
    weights, classes = np.asarray([1.0, number]), np.asarray([1.0, 2.0, 1.0])
    for options in (
        {"weights": weights},
        {"weights": weights, "class_weights": classes, "label_smoothing": 0.1},
    ):
        plain = ul.softmax_cross_entropy_with_integer_labels(x, labels, **options, **given)
        tensors = {k: torch.tensor(v) if isinstance(v, np.ndarray) else v for k, v in options.items()}
        leaf = torch.tensor(x, requires_grad=True)
        loss = ul.softmax_cross_entropy_with_integer_labels(leaf, torch.tensor(labels), **tensors, **given)
        loss.sum().backward()
        np.testing.assert_allclose(loss.detach().numpy(), plain, 1e-14)
        assert np.isfinite(leaf.grad.numpy()).all()
        assert (leaf.grad.numpy()[1] == 0).all()


def test_class_weights_that_are_no_numbers() -> None:
    """As on every library: of a class that is no row's label too, and nothing to a row that is removed."""
    import torch

    x, loss = torch.tensor([[1.0, 2.0, 3.0], [3.0, 1.0, 0.0]]), ul.softmax_cross_entropy_with_integer_labels
    some = loss(x, torch.tensor([0, 1]), class_weights=torch.tensor([1.0, 1.0, float("nan")]))
    assert some.isnan().all()
    infinite = torch.tensor([float("inf"), 1.0, 1.0])
    labels = torch.tensor([1, -100])
    mean = loss(x, labels, class_weights=infinite, ignore_index=-100, reduction="mean")
    torch.testing.assert_close(mean, loss(x, labels, ignore_index=-100, reduction="mean"))
