"""The tests that every mutant of `make mutate` is held to; pytest runs them only where this file is named.

These are the libraries between which all formulas run: NumPy, whose closed forms are checked in three dtypes;
array-api-strict, which computes by formulas the values that NumPy has kernels for; torch, which
differentiates the formulas.
"""

from __future__ import annotations

from typing import Any

import pytest

from uniflogits._core.operation import OPERATIONS

from . import (
    adapters,
    test_attached_rules,
    test_branches,
    test_classes_apart,
    test_dimensions,
    test_divergences,
    test_entmax_rows,
    test_gradient_api,
    test_label_core,
    test_label_derivatives,
    test_linear_chunks,
    test_linear_pass,
    test_options_together,
    test_partners,
    test_quick_rows,
    test_series,
    test_shares,
    test_tangents,
    test_value_and_grad_of_losses,
)
from .checks import CHECKS
from .harness import PROPERTIES, parameter

CHECKED = (
    ("numpy", ("float64", "float32", "float16"), ("value", "gradient", "second_order", "jvp", "edges")),
    ("strict", ("float64",), ("value", "gradient", "edges")),
    ("torch", ("float64",), ("edges", "gradient", "second_order", "gradient_of_options")),
)


def _cells() -> list[Any]:
    return [
        parameter(cell, id=f"{cell.property}-{cell.id}")
        for backend, dtypes, properties in CHECKED
        for property in properties
        for cell in PROPERTIES[property]
        if cell.backend == backend and cell.dtype in dtypes
    ]


@pytest.mark.parametrize("cell", _cells())
def test_cell(cell: Any, quick: bool) -> None:
    CHECKS[cell.property](cell, quick or cell.backend == "torch")


@pytest.mark.backend("numpy")
@pytest.mark.parametrize("check", ["softmax", "binary"])
def test_losses(check: str) -> None:
    getattr(test_options_together, f"test_{check}_losses")("numpy")


@pytest.mark.backend("numpy")
def test_pairs_at_the_edge() -> None:
    for name, a, b in test_partners.STILL:
        test_partners.test_nothing_bends_where_nothing_depends_on_the_arrays(name, a, b, "numpy")


@pytest.mark.backend("numpy")
@pytest.mark.parametrize("name", test_partners.PAIRS)
def test_pairs(name: str) -> None:
    test_partners.test_tangents_together(name, "numpy")
    test_partners.test_mixed_second_derivative(name, "numpy")
    if name in test_partners.EDGES:
        test_partners.test_gradients_at_the_edge(name, "numpy")


@pytest.mark.backend("torch")
@pytest.mark.parametrize("name", test_partners.PAIRS)
def test_pairs_mixed(name: str) -> None:
    test_partners.test_mixed_second_derivative_by_autodiff(name, "torch")


@pytest.mark.backend("numpy")
@pytest.mark.parametrize("plain", [True, False], ids=["plain", "options"])
@pytest.mark.parametrize("name", list(OPERATIONS))
def test_dimensions_of(name: str, plain: bool) -> None:
    test_dimensions.test_rows_of_any_number_of_axes(name, plain, "numpy")


@pytest.mark.backend("numpy")
@pytest.mark.parametrize("call", list(test_label_derivatives.CALLS))
def test_labels_moving(call: str) -> None:
    test_label_derivatives.test_gradient_moves_with_the_second_array(call, "numpy")


@pytest.mark.backend("numpy")
def test_labels_of_an_empty_mean() -> None:
    test_label_derivatives.test_the_gradient_of_an_empty_mean_does_not_move("numpy")


@pytest.mark.backend("numpy")
@pytest.mark.parametrize("name", ["softmax_cross_entropy", "sigmoid_binary_cross_entropy"])
def test_labels_of_another_dtype(name: str) -> None:
    test_label_derivatives.test_each_gradient_has_its_own_arrays_dtype(name, "numpy")


@pytest.mark.backend("numpy")
@pytest.mark.parametrize("reduction", ["sum", "mean", "none"])
@pytest.mark.parametrize("call", list(test_value_and_grad_of_losses.CALLS))
def test_value_and_grad(call: str, reduction: str) -> None:
    test_value_and_grad_of_losses.test_both_are_what_either_is(call, reduction, "numpy")


@pytest.mark.backend("numpy")
@pytest.mark.parametrize("call", ["indices", "dense", "softmax-focal", "linear"])
def test_mean_of_a_nan(call: str) -> None:
    test_value_and_grad_of_losses.test_a_row_that_is_not_a_number_counts_in_a_mean(call, "numpy")


@pytest.mark.backend("numpy")
def test_sign_of_nothing() -> None:
    test_branches.test_a_sum_of_nothing_has_no_sign("numpy")


@pytest.mark.backend("numpy")
def test_round_alike() -> None:
    test_branches.test_terms_that_round_alike("numpy")


@pytest.mark.backend("numpy")
def test_label_among_many() -> None:
    test_branches.test_a_label_as_likely_as_four_thousand_others("numpy")


@pytest.mark.backend("torch")
def test_branches_of_formulas() -> None:
    test_branches.test_softcap_bends_at_tiny_logits_too("torch")
    test_branches.test_three_infinite_logits_share_the_mass("torch")
    test_branches.test_a_linear_total_bends_as_the_losses_that_it_adds_up("torch")
    test_branches.test_a_focal_loss_moves_with_labels_of_0_and_1("torch")
    test_gradient_api.test_a_closed_form_is_differentiated_again_at_a_tie("torch")


@adapters.each("numpy", "torch")
@pytest.mark.parametrize("name", test_dimensions.ON_ROWS)
def test_edges_together(name: str, backend: str) -> None:
    test_dimensions.test_rows_at_the_edge_know_nothing_of_each_other(name, backend)


@adapters.each("numpy", "torch")
def test_weighed_edges_together(backend: str) -> None:
    test_dimensions.test_weighed_rows_at_the_edge_know_nothing_of_each_other(backend)


@pytest.mark.backend("numpy")
@pytest.mark.parametrize("alpha", [1.1, 1.25, 1.75, 2.0, 3.0])
def test_dimensions_of_entmax(alpha: float) -> None:
    test_dimensions.test_rows_of_entmax(alpha, "numpy")


@pytest.mark.backend("numpy")
def test_dimensions_from_the_end() -> None:
    test_dimensions.test_rows_summed_from_the_end("numpy")


@pytest.mark.backend("numpy")
@pytest.mark.parametrize("name", test_dimensions.SUMMED)
def test_no_classes(name: str) -> None:
    test_dimensions.test_rows_without_classes(name, "numpy")


@pytest.mark.backend("numpy")
def test_far_pairs() -> None:
    test_partners.test_logsubexp_bends_where_the_difference_is_rounded("numpy")


@adapters.each("numpy", "torch")
@pytest.mark.parametrize("alone", [False, True])
@pytest.mark.parametrize("name", test_classes_apart.NAMES)
def test_apart(name: str, alone: bool, backend: str) -> None:
    test_classes_apart.test_classes_apart(name, alone, backend)


@pytest.mark.backend("numpy")
@pytest.mark.parametrize("name", test_classes_apart.NAMES)
def test_one_of_many(name: str) -> None:
    test_classes_apart.test_one_class_takes_what_many_have(name, "numpy")


@adapters.each("numpy", "torch")
@pytest.mark.parametrize("row", range(len(test_divergences.ROWS)))
@pytest.mark.parametrize("operation", test_divergences.INFINITE)
def test_infinite(operation: str, row: int, backend: str) -> None:
    test_divergences.test_infinite_divergence(backend, operation, row)


@adapters.each("numpy", "torch")
def test_bounds_of_divergences(backend: str) -> None:
    test_divergences.test_near_equal_rows_never_have_a_negative_divergence(backend)
    test_divergences.test_js_divergence_is_bounded(backend)
    test_divergences.test_total_variation_is_bounded(backend)
    for case in range(len(test_divergences.BEYOND)):
        test_divergences.test_logits_farther_apart_than_the_largest_number(backend, case)


@adapters.each("numpy", "torch")
@pytest.mark.parametrize("together", [False, True])
def test_quick(together: bool, backend: str) -> None:
    test_quick_rows.test_rows_of_every_kind(backend, together)


@adapters.each("numpy", "torch")
def test_quick_axes(backend: str) -> None:
    test_quick_rows.test_rows_along_several_axes(backend)


# These ask torch alone.
hooks = test_attached_rules.hooks
test_attached = test_attached_rules.test_rule
test_attached_exact = test_attached_rules.test_label_rule_whose_gradient_is_a_formula

# These ask NumPy alone.
test_quick_right = test_quick_rows.test_what_is_said_to_be_good_is
test_quick_underflow = test_quick_rows.test_probabilities_that_underflow_are_left_to_the_exact_formula
test_quick_good = test_quick_rows.test_quick_formulas_are_good_for_ordinary_rows
test_tangents_first = test_tangents.test_first_derivatives
test_tangents_second = test_tangents.test_second_derivatives
test_shares_of_rows = test_shares.test_shares
test_series_tanh = test_series.test_coefficients_of_tanh
test_series_small = test_series.test_small_differences
test_entmax_values = test_entmax_rows.test_values
test_entmax_ties = test_entmax_rows.test_ties_with_next_to_no_part
test_label_core_samples = test_label_core.test_samples
test_label_core_edges = test_label_core.test_edges
test_label_core_wrong = test_label_core.test_labels_that_are_no_class
test_label_core_spoilt = test_label_core.test_a_label_that_is_no_class_spoils_its_own_row
test_label_core_infinity = test_label_core.test_infinity_beside_the_largest_number
test_linear_one_pass = test_linear_pass.test_one_pass
test_linear_labels = test_linear_pass.test_labels_that_nobody_has_checked
test_linear_dtypes = test_linear_pass.test_gradients_keep_their_arrays_dtypes
test_linear_rows = test_linear_pass.test_rows_without_others_or_mass
seen = test_linear_chunks.seen
test_chunks_rows = test_linear_chunks.test_rows_of_a_chunk
test_chunks_small = test_linear_chunks.test_formulas_take_small_chunks
test_chunks_large = test_linear_chunks.test_the_single_pass_takes_large_chunks
test_chunks_given = test_linear_chunks.test_a_chunk_size_is_kept
test_chunks_none = test_linear_chunks.test_few_rows_are_not_cut
test_chunks_saved = test_linear_chunks.test_what_is_saved_of_a_chunk_is_its_rows
