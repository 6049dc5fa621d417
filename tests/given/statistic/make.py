"""Columns with the statistics that scipy, scikit-learn and numpy give them, for src/statistic.

    python make.py                  # writes vectors.json beside this file

Last run with scikit-learn 1.9.1, numpy 2.4.6, scipy 1.17.1. Weighted ranks and quantiles have no function there:
weights of these cases are whole numbers, and rows are repeated so often.
"""

import json
import warnings
from pathlib import Path

import numpy as np
from scipy.special import logit
from scipy.stats import pearsonr, spearmanr
from sklearn import metrics
from sklearn.linear_model import LinearRegression, LogisticRegression

HERE = Path(__file__).parent


def finite(value):
    return float(value) if value is not None and np.isfinite(value) else None


def spread(scores, outcomes, parts):
    """Mean outcome of the top less the bottom; the rows of one score share their places, as their mean does."""
    if len(scores) < parts or len(set(scores)) < 2:
        return None
    means = {score: outcomes[scores == score].mean() for score in set(scores)}
    shared = np.array([means[score] for score in sorted(scores)])
    # Every row is cut into as many pieces as there are parts: then no row lies across a border.
    pieces = np.repeat(shared, parts)
    return float(pieces[-len(scores):].mean() - pieces[: len(scores)].mean())


def numbers(name, scores, outcomes, weights=None):
    each = np.ones(len(scores), int) if weights is None else weights
    x, y = np.repeat(scores, each), np.repeat(outcomes, each)
    constant = len(set(x)) < 2
    line = None if constant else LinearRegression().fit(scores[:, None], outcomes, sample_weight=each)
    return {
        "name": name,
        "scores": scores.tolist(),
        "outcomes": outcomes.tolist(),
        "weights": each.tolist(),
        "pearson": finite(pearsonr(x, y)[0]) if not constant and len(set(y)) > 1 else None,
        "spearman": finite(spearmanr(x, y)[0]) if not constant and len(set(y)) > 1 else None,
        "r2": metrics.r2_score(outcomes, scores, sample_weight=each) if len(set(y)) > 1 else None,
        "mae": metrics.mean_absolute_error(outcomes, scores, sample_weight=each),
        "rmse": metrics.root_mean_squared_error(outcomes, scores, sample_weight=each),
        "slope": None if line is None else float(line.coef_[0]),
        "intercept": None if line is None else float(line.intercept_),
        "spread_5": spread(x, y, 5),
        "spread_10": spread(x, y, 10),
    }


def classes(name, scores, happened, weights=None):
    """Weights of any size: scikit-learn takes them."""
    both = len(set(happened)) == 2
    auc = metrics.roc_auc_score(happened, scores, sample_weight=weights) if both else None
    clipped = np.clip(scores, np.finfo(float).eps, 1 - np.finfo(float).eps)
    zeros, ones = clipped[happened == 0], clipped[happened == 1]
    mixed = both and max(zeros) > min(ones) and max(ones) > min(zeros)
    fit = None
    if mixed:
        model = LogisticRegression(C=np.inf, tol=1e-14, max_iter=10_000, solver="newton-cholesky")
        fit = model.fit(logit(clipped)[:, None], happened, sample_weight=weights)
    return {
        "name": name,
        "scores": scores.tolist(),
        "happened": happened.tolist(),
        "weights": None if weights is None else weights.tolist(),
        "auc": auc,
        "gini": None if auc is None else 2 * auc - 1,
        "average_precision": metrics.average_precision_score(happened, scores, sample_weight=weights)
        if happened.any() else None,
        "slope": None if fit is None else float(fit.coef_[0, 0]),
        "intercept": None if fit is None else float(fit.intercept_[0]),
    }


def decay(name, horizons, figures, counted):
    """`counted`: the places of the horizons that are fitted."""
    half_life = None
    if len(counted) > 1:
        at = [horizons[place] for place in counted]
        slope = np.polyfit(at, [np.log(abs(figures[place])) for place in counted], 1)[0]
        half_life = float(np.log(2) / -slope) if slope < 0 else None
    return {"name": name, "horizons": horizons, "figures": figures, "half_life": half_life}


def main():
    warnings.simplefilter("ignore")
    random = np.random.default_rng(15)
    near = lambda rows, noise, digits: (
        outcomes := np.round(random.normal(size=rows), digits),
        np.round(0.5 * outcomes + noise * random.normal(size=rows) + 0.1, digits),
    )[::-1]
    binary = lambda rows, share, digits: (
        happened := (random.random(rows) < share).astype(int),
        np.round(1 / (1 + np.exp(-random.normal(1.5 * (happened - 0.5), 1))), digits),
    )[::-1]
    few = binary(60, 0.4, 2)
    vectors = {
        "numbers": [
            numbers("near", *near(200, 0.5, 6)),
            numbers("ties", *near(103, 1.0, 0)),
            numbers("uneven parts", *near(47, 1.0, 3)),
            numbers("weights", *near(90, 1.0, 1), weights=random.integers(0, 4, 90)),
            numbers("constant scores", np.full(30, 0.1), np.round(random.normal(size=30), 3)),
            numbers("constant outcomes", np.round(random.normal(size=30), 3), np.full(30, 0.3)),
            numbers("few", np.array([1.0, 3.0, 2.0]), np.array([1.0, 2.0, 4.0])),
            numbers("far from zero", *(1e6 + column for column in near(150, 0.7, 4))),
        ],
        "classes": [
            classes("even", *binary(200, 0.5, 4)),
            classes("ties", *binary(150, 0.3, 1)),
            classes("rare", *binary(400, 0.03, 3)),
            classes("weights", *few, weights=np.round(random.random(60) * 3, 3)),
            classes("overconfident", few[0] ** 4 / (few[0] ** 4 + (1 - few[0]) ** 4), few[1]),
            classes("certain", np.where(few[0] > 0.8, 1.0, few[0]), few[1]),
            classes("one outcome", few[0], np.zeros(60, int)),
            classes("constant", np.full(60, 0.3), few[1]),
            classes("separated", np.where(few[1] == 1, 0.8, 0.2), few[1]),
        ],
        "decay": [
            decay("fades", [1.0, 2.0, 4.0, 8.0], [0.1, 0.08, 0.05, 0.02], [0, 1, 2, 3]),
            decay("rises first", [1.0, 2.0, 4.0, 8.0], [-0.05, -0.1, -0.07, -0.06], [1, 2, 3]),
            decay("turns", [1.0, 2.0, 4.0, 8.0, 9.0], [0.1, 0.06, 0.03, -0.02, 0.01], [0, 1, 2]),
            decay("undefined", [1.0, 2.0, 4.0], [0.1, None, 0.03], [0]),
            decay("rises", [1.0, 2.0], [0.1, 0.2], [1]),
            decay("stays", [1.0, 2.0], [0.1, 0.1], []),
            decay("nothing", [], [], []),
        ],
    }
    parts = [f' "{name}":[\n' + ",\n".join(json.dumps(one) for one in cases) + "]" for name, cases in vectors.items()]
    (HERE / "vectors.json").write_text("{\n" + ",\n".join(parts) + "\n}\n")


if __name__ == "__main__":
    main()
