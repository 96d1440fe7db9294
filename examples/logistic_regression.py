"""Logistic regression by Newton's method on plain NumPy, compared with scikit-learn's.

    python examples/logistic_regression.py

The data are the 569 tumours of scikit-learn's breast-cancer set, every one with a weight, and an L2 penalty.
Gradient and curvature of the loss come from `vjp` and `grad`: no framework, and nothing derived by hand. The
same program then takes labels between 0 and 1, shares of a panel of readers, which scikit-learn refuses.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from program import BAD, OURS, PALE, THEIRS, Parser, finish, picture, progress, show_table, write_results

import uniflogits as ul

LOSS = ul.sigmoid_binary_cross_entropy
PENALTY = 1.0  # times half the squared coefficients; the bias goes free
AGREEMENT = 1e-6  # how far a coefficient may be from scikit-learn's
MOST_STEPS = 30
READERS, MISREAD = 5, 0.1  # how many look at a scan, and how often one is wrong


class Fit(NamedTuple):
    """What one fit gave."""

    name: str
    coefficients: Any  # of the standardised features, the bias last
    objective: float
    gradients: list[float]  # the largest entry at the start of each step
    seconds: float


def derivatives(logits: Any, labels: Any, weights: Any) -> tuple[float, Any, Any]:
    """The weighted loss, its gradient by the logits and its second derivatives by each logit."""
    loss, pullback = ul.vjp(LOSS, logits, labels, weights=weights, reduction="sum")
    gradient, _ = pullback(1.0)
    # Every logit has a loss of its own: the Hessian is diagonal, and its product with ones is the diagonal.
    _, bend = ul.vjp(ul.grad(LOSS), logits, labels, weights=weights, reduction="sum")
    curvature, _ = bend(np.ones_like(logits))
    return float(loss), gradient, curvature


def newton(name: str, rows: Any, labels: Any, weights: Any, advance: Callable[[], None]) -> Fit:
    start = time.perf_counter()
    coefficients, sizes, objective = np.zeros(rows.shape[1]), [], np.inf
    penalty = np.full(rows.shape[1], PENALTY)
    penalty[-1] = 0
    for _ in range(MOST_STEPS):
        loss, by_logits, curvature = derivatives(rows @ coefficients, labels, weights)
        gradient = rows.T @ by_logits + penalty * coefficients
        hessian = rows.T @ (curvature[:, None] * rows) + np.diag(penalty)
        objective = loss + 0.5 * float(penalty @ coefficients**2)
        sizes.append(float(np.abs(gradient).max()))
        advance()
        if sizes[-1] < 1e-10:
            break
        coefficients = coefficients - np.linalg.solve(hessian, gradient)
    return Fit(name, coefficients, objective, sizes, time.perf_counter() - start)


def scikit_learn(rows: Any, labels: Any, weights: Any) -> Any:
    """Coefficients, the bias last; labels must be 0 or 1."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1 / PENALTY, solver="newton-cholesky", tol=1e-12, max_iter=1000)
    model.fit(rows[:, :-1], labels, sample_weight=weights)
    return np.append(model.coef_[0], model.intercept_)


def by_halves(rows: Any, labels: Any, weights: Any) -> Any:
    """What scikit-learn would answer to fractional labels: every row twice, as a 1 and as a 0, in shares."""
    sure = np.repeat([1, 0], len(rows))
    return scikit_learn(
        np.concatenate([rows, rows]), sure, np.concatenate([weights * labels, weights * (1 - labels)])
    )


def refusal(rows: Any, labels: Any, weights: Any) -> str:
    """What scikit-learn says to labels that it does not take; empty if it takes them."""
    try:
        scikit_learn(rows, labels, weights)
    except ValueError as error:
        return str(error).split(".")[0]
    return ""


def prepare() -> tuple[Any, Any, Any, Any, list[str]]:
    """Standardised features with a 1 at the end; labels 0 and 1, weights, labels in fractions, names."""
    from sklearn.datasets import load_breast_cancer

    data = load_breast_cancer()
    rows = (data.data - data.data.mean(axis=0)) / data.data.std(axis=0)
    labels = 1 - data.target  # 1: malignant
    # Both kinds count the same in total, and every tumour by how reliable its record is said to be.
    rng = np.random.default_rng(0)
    balance = len(labels) / 2 / np.bincount(labels)
    weights = balance[labels] * rng.uniform(0.5, 1.5, len(labels))
    readings = rng.random((READERS, len(labels))) < MISREAD
    panel = np.where(readings, 1 - labels, labels).mean(axis=0)
    return np.column_stack([rows, np.ones(len(rows))]), labels, weights, panel, list(data.feature_names)


def main(arguments: list[str] | None = None) -> int:
    parser = Parser(__doc__, "logistic_regression.png")
    options = parser.parse_args(arguments)
    parser.check_installed()
    parser.check_paths(options)

    rows, labels, weights, panel, names = prepare()
    whole, shares = "0 or 1", "fractional"
    with progress(**{whole: MOST_STEPS, shares: MOST_STEPS}) as part:
        with part(whole) as advance:
            sharp = newton(whole, rows, labels, weights, advance)
        with part(shares) as advance:
            soft = newton(shares, rows, panel, weights, advance)
    theirs = {whole: scikit_learn(rows, labels, weights), shares: by_halves(rows, panel, weights)}
    said = refusal(rows, panel, weights)
    fits = (sharp, soft)
    apart = {one.name: float(np.abs(one.coefficients - theirs[one.name]).max()) for one in fits}

    show(fits, apart)
    print("Difference: the largest between a coefficient and scikit-learn's.")
    print(f"scikit-learn on fractional labels: {said or 'no error'}.")
    print("Its coefficients for them are those of every tumour taken twice, malignant and not, in shares.")
    results = {
        one.name: {
            "coefficients": one.coefficients.tolist(),
            "scikit_learn": theirs[one.name].tolist(),
            "objective": one.objective,
            "gradients": one.gradients,
            "largest_difference": apart[one.name],
        }
        for one in fits
    }
    write_results(options, {"refusal": said, "fits": results})
    draw(options.output, fits, theirs, names)
    failures = [
        f"With {name} labels a coefficient differs by {off:.1e}: at most {AGREEMENT:.0e} is allowed."
        for name, off in apart.items()
        if not off <= AGREEMENT
    ]
    return finish(options, failures)


def show(fits: tuple[Fit, ...], apart: dict[str, float]) -> None:
    cells = [
        (
            one.name,
            str(len(one.gradients) - 1),
            f"{one.objective:.8f}",
            f"{one.gradients[-1]:.1e}",
            f"{apart[one.name]:.1e}",
            f"{one.seconds:.3f}",
        )
        for one in fits
    ]
    titles = ("steps", "objective", "gradient", "difference", "seconds")
    show_table(("labels",), titles, cells)


def draw(path: Any, fits: tuple[Fit, ...], theirs: dict[str, Any], names: list[str]) -> None:
    with picture(path, 11.5, 6.4) as figure:
        left, right = figure.subfigures(1, 2, width_ratios=[1.25, 1])
        axes = left.subplots()
        order = np.argsort(np.abs(fits[0].coefficients[:-1]))
        place = np.arange(len(order))
        for one, colour, shift in zip(fits, (OURS, THEIRS), (0.18, -0.18), strict=True):
            axes.barh(
                place + shift,
                one.coefficients[order],
                height=0.34,
                color=colour,
                alpha=0.55,
                label=f"labels {one.name}",
            )
            answer = theirs[one.name][order]
            mark = {"label": "scikit-learn"} if one is fits[0] else {}
            axes.plot(answer, place + shift, "|", color="black", ms=6, mew=1.3, **mark)
        axes.set_yticks(place, [names[i] for i in order], fontsize=7.5)
        axes.set(ylim=(-0.7, len(order) - 0.3), xlabel="coefficient of the standardised feature")
        axes.set_title("What speaks for malignant")
        axes.grid(visible=False, axis="y")
        axes.legend(loc="lower right", fontsize=9)
        steps, difference = right.subplots(2, 1)
        for one, colour in zip(fits, (OURS, THEIRS), strict=True):
            steps.plot(one.gradients, "o-", color=colour, ms=4, label=f"labels {one.name}")
            apart = np.abs(one.coefficients - theirs[one.name])
            difference.plot(np.where(apart > 0, apart, np.nan), "o", color=colour, ms=4)
        steps.set(yscale="log", xlabel="Newton step", ylabel="largest gradient")
        steps.set_title("Largest gradient at each step")
        steps.legend(fontsize=9)
        difference.axhline(AGREEMENT, color=BAD, lw=1.5)
        difference.text(0, AGREEMENT / 1.6, "allowed", color=BAD, va="top", fontsize=9)
        difference.axhspan(AGREEMENT, 1e-4, color=PALE, alpha=0.4, lw=0)
        difference.set(yscale="log", ylim=(1e-17, 1e-4), xlabel="number of the coefficient")
        difference.set_title("Difference from scikit-learn's coefficients")


if __name__ == "__main__":
    sys.exit(main())
