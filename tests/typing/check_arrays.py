"""The array type that goes in comes out: `make lint` has the type checker read this file, nothing runs it."""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from typing import assert_type

import jax
import numpy as np
import tensorflow as tf
import torch

import uniflogits as ul


def numpy_in_numpy_out(array: np.ndarray, labels: np.ndarray) -> None:
    assert_type(ul.softmax(array, axis=0, where=labels), np.ndarray)
    assert_type(ul.softplus(array, beta=2.0), np.ndarray)
    assert_type(ul.softmax_cross_entropy_with_integer_labels(array, labels, reduction="mean"), np.ndarray)


def jax_in_jax_out(array: jax.Array, labels: jax.Array) -> None:
    assert_type(ul.log_softmax(array, axis=(0, 1)), jax.Array)
    assert_type(ul.sigmoid(array), jax.Array)
    assert_type(ul.softmax_cross_entropy(array, labels, label_smoothing=0.1), jax.Array)


def torch_in_torch_out(array: torch.Tensor, labels: torch.Tensor) -> None:
    assert_type(ul.log_sigmoid(array), torch.Tensor)
    assert_type(ul.logsumexp(array, axis=None, keepdims=True), torch.Tensor)
    assert_type(ul.sigmoid_binary_cross_entropy(array, labels, pos_weight=2.0), torch.Tensor)


def tensorflow_in_tensorflow_out(array: tf.Tensor) -> None:
    assert_type(ul.softmax(array, axis=-1), tf.Tensor)


def lists_and_numbers_give_numpy() -> None:
    assert_type(ul.softmax([[2.5, 1.0], [-1.2, 0.0]]), np.ndarray)
    assert_type(ul.sigmoid(0.5), np.ndarray)


def wrong_calls_are_found(array: np.ndarray) -> None:
    # Each of these comments is an error itself if the type checker finds nothing to ignore there.
    ul.softmax(array, 0)  # pyright: ignore[reportCallIssue]
    ul.softmax(array, axes=0)  # pyright: ignore[reportCallIssue]
    ul.softplus(array, beta="sharp")  # pyright: ignore[reportCallIssue, reportArgumentType]
    ul.softmax_cross_entropy(array, array, reduction="average")  # pyright: ignore[reportCallIssue, reportArgumentType]
    ul.softmax_cross_entropy(array)  # pyright: ignore[reportCallIssue]
