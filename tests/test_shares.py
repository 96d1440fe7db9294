"""What a row of labels counts in a mean with class weights, and how that moves with each label."""

from __future__ import annotations

import numpy as np
import pytest

from uniflogits._backends.numpy import BACKEND
from uniflogits._math import targets

pytestmark = pytest.mark.backend("numpy")
CLASSES = np.asarray([1.0, 2.0, 5.0])
# Their sums are 1, 2, 1/2 and 0: a row without labels counts as any other, whatever its weights.
LABELS = np.asarray([[0.25, 0.25, 0.5], [1.0, 0.5, 0.5], [0.0, 0.5, 0.0], [0.0, 0.0, 0.0]])


def test_shares() -> None:
    found = targets.share(BACKEND.xp, LABELS, CLASSES)
    np.testing.assert_array_equal(found, [3.25, 2.25, 2.0, 1.0])
    slope = targets.share_slope(BACKEND.xp, LABELS, CLASSES)
    expected = (CLASSES - np.asarray([[3.25], [2.25], [2.0]])) / np.asarray([[1.0], [2.0], [0.5]])
    np.testing.assert_array_equal(slope, [*expected, [0, 0, 0]])
