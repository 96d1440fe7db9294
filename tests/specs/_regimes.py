"""The adversarial regimes: numbers on which logit operations are known to lose their digits."""

from __future__ import annotations

import numpy as np

from .base import ALL_DTYPES, Sample

NAN, INF = float("nan"), float("inf")
WIDE_RANGE = ("bfloat16", "float32", "float64")  # the dtypes that hold 1e30


def moderate(rng: np.random.Generator, rows: int = 3, classes: int = 10) -> np.ndarray:
    return rng.normal(size=(rows, classes))


def wide(rng: np.random.Generator, rows: int = 3, classes: int = 10) -> np.ndarray:
    return 30 * rng.normal(size=(rows, classes))


def dominated(rng: np.random.Generator, classes: int = 10) -> np.ndarray:
    """One class ahead of all others by 20, 40, 80: first, last, in between; one row all negative."""
    x = moderate(rng, 4, classes)
    for row, (gap, winner) in enumerate([(20, 0), (40, classes - 1), (80, classes // 2), (30, 0)]):
        x[row, winner] = x[row].max() + gap
    x[3] -= 60
    return x


def near_ties(rng: np.random.Generator, classes: int = 10) -> np.ndarray:
    """Differences from 1e-1 down to units in the last place, of both signs, the leaders included."""
    steps = np.asarray([[2.0**-4], [2.0**-10], [2.0**-22]])
    return np.asarray([[2.0], [-1.0], [0.0]]) + steps * rng.integers(-3, 4, size=(3, classes))


def ties(rng: np.random.Generator, classes: int = 10) -> np.ndarray:
    """Two, three and all but one of the classes share the lead exactly."""
    x = rng.integers(-4, 4, size=(3, classes)).astype(float)
    for row, count in enumerate((2, 3, classes - 1)):
        x[row, rng.permutation(classes)[:count]] = 5.0
    return x


def saturated(rng: np.random.Generator, classes: int = 10) -> np.ndarray:
    """Leads so long that the others are subnormal or 0: in float32 (rows 0, 1), in float64 (row 2)."""
    x = moderate(rng, 3, classes)
    x[0, 1] = 92.0
    x[1, 0], x[1, 1] = 101.0, 8.0
    x[2, classes - 1] = 800.0
    return x


def equal(classes: int = 10) -> np.ndarray:
    return np.asarray([[0.0], [7.5], [-300.0]]) * np.ones(classes)


def missing(rng: np.random.Generator, classes: int = 10) -> np.ndarray:
    """-inf here and there: one class out, all but two out, all but one out."""
    x = moderate(rng, 3, classes)
    x[0, 3] = -INF
    x[1, 2:] = -INF
    x[2, np.arange(classes) != 4] = -INF
    return x


def log_probabilities(rng: np.random.Generator, rows: int = 3, classes: int = 10) -> np.ndarray:
    """Normalised already: the logsumexp is about 0, what is left of it is rounding."""
    x = 3 * moderate(rng, rows, classes)
    return x - np.log(np.exp(x).sum(axis=-1, keepdims=True))


def huge_offset(classes: int = 10) -> np.ndarray:
    """Around 1e30 neighbouring floats lie farther apart than probabilities can bridge: ties are left."""
    x = np.full((3, classes), 1e30)
    x[1] = -1e30
    x[:2, 1::2] *= 1.5
    x[2, :3] = -1e30
    return x


def two_classes() -> np.ndarray:
    return np.asarray([[0.25, -1.5], [40.0, 0.0], [-20.0, 3.0], [1.0, 1.0]])


def logit_samples(rng: np.random.Generator, name: str = "logits", thousand: bool = True) -> list[Sample]:
    """The regimes without any option, for an operation on rows of logits."""
    samples = [
        ("moderate", moderate(rng)),
        ("wide", wide(rng)),
        ("offset-up", moderate(rng, 2) + 1e4),
        ("offset-down", moderate(rng, 2) - 1e4),
        ("dominated", dominated(rng)),
        ("two-classes", two_classes()),
        ("near-ties", near_ties(rng)),
        ("ties", ties(rng)),
        ("saturated", saturated(rng)),
        ("all-equal", equal()),
        ("minus-infinity", missing(rng)),
        ("log-probabilities", log_probabilities(rng)),
    ]
    made = [Sample(label, {name: x}) for label, x in samples]
    made.append(Sample("huge-offset", {name: huge_offset()}, dtypes=WIDE_RANGE))
    if thousand:
        many = 4 * moderate(rng, 2, 1000)
        many[1, 700] = 40.0
        made.append(Sample("thousand-classes", {name: many}, values_only=True))
    return made


def masked(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Logits and ``where``; the classes taken out hold what would show if they were looked at."""
    x = moderate(rng)
    where = np.ones((3, 10), dtype=bool)
    where[0, [1, 5]] = where[1, 3:] = where[2, :9] = False
    x[0, 1], x[0, 5], x[1, 3], x[2, 0] = NAN, INF, 1e3, NAN
    return x, where


def element_samples(rng: np.random.Generator, name: str = "x") -> list[Sample]:
    """The regimes of a function of one number; the exact 0 and both signs of everything."""
    steps = 2.0 ** -np.arange(24.0)
    x = rng.uniform(15, 50, size=10)
    tails = rng.uniform(50, 1000, size=(2, 5))
    return [
        Sample("moderate", {name: moderate(rng)}),
        Sample("wide", {name: wide(rng)}),
        Sample("near-zero", {name: np.concatenate([steps, -steps, [0.0]])}),
        Sample("saturated", {name: np.stack([x, -x])}),
        Sample("tails", {name: np.concatenate([tails, -tails])}),
        # e^x is subnormal in float32, float16 and float64.
        Sample("subnormal", {name: -np.asarray([88.0, 90.5, 95.0, 103.0, 10.5, 15.0, 16.5, 710.0, 740.0])}),
        Sample("offsets", {name: np.asarray([1e4, -1e4, 12345.0, -12345.0])}),
        Sample("huge-offsets", {name: np.asarray([1e30, -1e30])}, dtypes=WIDE_RANGE),
        Sample("one-dimension", {name: rng.normal(size=2)}),
        Sample("three-dimensions", {name: 5 * rng.normal(size=(2, 2, 3))}),
        Sample("thousand", {name: 20 * rng.normal(size=1000)}, values_only=True),
    ]


def upper_and_gap(rng: np.random.Generator) -> list[tuple[str, np.ndarray, np.ndarray, tuple[str, ...]]]:
    """Pairs of numbers by the larger one and how far ahead it is; never equal in the dtypes named."""
    narrow, sign = ("float32", "float64"), rng.choice([-1.0, 1.0], size=12)
    steps = 2.0 ** -np.arange(1.0, 21.0)
    longest = rng.uniform(4, 34, size=12)
    return [
        ("moderate", moderate(rng), rng.uniform(0.5, 4, size=(3, 10)), ALL_DTYPES),
        ("wide", wide(rng), 1 + np.abs(wide(rng)), ALL_DTYPES),
        # Where formulas change: ln 2, 1.08.
        ("switches", np.zeros((2, 20)), np.linspace(0.3, 1.5, 40).reshape(2, 20), ALL_DTYPES),
        ("near-ties", np.asarray([[2.0], [-1.0], [0.0]]) * np.ones(20), np.stack([steps] * 3), narrow),
        ("dominated", moderate(rng), rng.uniform(15, 80, size=(3, 10)), ALL_DTYPES),
        ("saturated", np.zeros(8), np.asarray([17.0, 80, 88, 95, 103.5, 110, 700, 745]), ALL_DTYPES),
        # What the smaller number adds is about as large as the other, and the gap is not exact.
        ("tiny-upper", sign * rng.uniform(0.3, 3, size=12) * np.exp(-longest), longest, narrow),
        ("offsets", np.asarray([[1e4], [-1e4]]) + moderate(rng, 2), rng.uniform(1, 9, size=(2, 10)), narrow),
        ("huge", np.asarray([1e30, 1e30, -1e30]), np.asarray([2e30, 5e29, 1e30]), WIDE_RANGE),
        ("minus-infinity", moderate(rng, 1, 3), np.asarray([[INF, 1.0, INF]]), ALL_DTYPES),
        ("one-dimension", moderate(rng, 1, 2)[0], np.asarray([1.5, 30.0]), ALL_DTYPES),
        ("three-dimensions", rng.normal(size=(2, 2, 3)), rng.uniform(1, 9, size=(2, 2, 3)), ALL_DTYPES),
    ]


def gap_samples(rng: np.random.Generator, either_way: bool) -> list[Sample]:
    """The same as samples of arrays a and b; a is the larger one, or one of the two in turn."""

    def sample(id: str, a: np.ndarray, b: np.ndarray, dtypes: tuple[str, ...] = ALL_DTYPES) -> Sample:
        if either_way and a.shape == b.shape:
            swap = np.arange(a.size).reshape(a.shape) % 2 == 1
            a, b = np.where(swap, b, a), np.where(swap, a, b)
        return Sample(id, {"a": a, "b": b}, dtypes=dtypes)

    column, row = np.asarray([[2.0], [3.5]]), np.asarray([-1.0, 0.25, 1.0])
    # A test adds up tangents, of halves rounded ones; the edges have broadcasting in halves.
    floats = ("float32", "float64")
    upper, gap = 20 * rng.normal(size=1000), 1 + 20 * np.abs(rng.normal(size=1000))
    return [
        *(sample(id, upper, upper - gap, dtypes) for id, upper, gap, dtypes in upper_and_gap(rng)),
        sample("broadcast", column, row, floats),
        sample("broadcast-back", row + 8.0, column, floats),
        sample("number-beside", np.asarray(2.5), row, floats),
        Sample("thousand", {"a": upper, "b": upper - gap}, values_only=True),
    ]


def log_factor_samples(rng: np.random.Generator, start: float) -> list[Sample]:
    """A number x of either sign, and y where the logarithm it multiplies is one of y - start > 0."""
    floats = ("float32", "float64")

    def sample(
        id: str, x: np.ndarray, argument: np.ndarray, dtypes: tuple[str, ...] = ALL_DTYPES, many: bool = False
    ) -> Sample:
        if start:  # y must not round to it
            argument = np.where(argument < 2.0**-7, 1 / argument, argument)
        return Sample(id, {"x": x, "y": argument + start}, {}, dtypes, many)

    near_one = 1 + 2.0 ** -np.arange(1.0, 21.0) * rng.choice([-1.0, 1.0], size=20)
    powers = np.exp(rng.uniform(-30, 30, size=1000))
    column, row = np.asarray([[2.0], [-3.5]]), np.asarray([0.25, 1.5, 6.0])
    return [
        sample("moderate", moderate(rng), rng.uniform(0.1, 3, size=(3, 10))),
        sample("wide", wide(rng), np.exp(rng.uniform(-5, 9, size=(3, 10)))),
        sample("wider", wide(rng), np.exp(rng.uniform(-30, 30, size=(3, 10))), WIDE_RANGE),
        sample("probabilities", rng.uniform(size=(3, 10)), rng.uniform(0.01, 1, size=(3, 10))),
        sample("near-one", moderate(rng, 1, 20)[0], near_one),
        # XLA's log1p of float64 is off between 0.59 and 0.64.
        sample("switches", moderate(rng, 2, 20), np.linspace(0.55, 0.75, 40).reshape(2, 20)),
        sample("zeros", rng.choice([0.0, -0.0, 1.0, -2.0], size=(3, 10)), rng.uniform(0.1, 3, size=(3, 10))),
        sample("ones", moderate(rng, 1, 5)[0], np.asarray([1.0, 1.0, 2.0, 0.5, 1.0])),
        sample("small", np.asarray([1e-30, -1e-30]), np.asarray([1e15, 3.0]), WIDE_RANGE),
        # Libraries multiply 1 / y^2, which underflows, by x.
        Sample("huge", {"x": [1e30, -1e30], "y": [1e30, 3.0]}, {}, WIDE_RANGE, underflow=1e30),
        sample("one-dimension", moderate(rng, 1, 2)[0], np.asarray([1.5, 30.0])),
        sample("three-dimensions", rng.normal(size=(2, 2, 3)), rng.uniform(0.5, 9, size=(2, 2, 3))),
        sample("broadcast", column, row, floats),
        sample("broadcast-back", row, column**2, floats),
        sample("number-beside", np.asarray(2.5), row, floats),
        sample("thousand", 10 * rng.normal(size=1000), powers, WIDE_RANGE, many=True),
    ]
