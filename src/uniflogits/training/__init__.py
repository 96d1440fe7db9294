"""Losses in the form in which training loops of other libraries call them."""

from ._keras_loss import keras_loss as keras_loss
