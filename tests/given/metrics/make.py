"""Labels and scores with the figures that scikit-learn gives them, for src/command/evaluate/metrics.

    python make.py                  # writes vectors.json beside this file

Last run with scikit-learn 1.9.1, numpy 2.4.6, scipy 1.17.1. What scikit-learn has no function for is
computed here in another way than in Rust: bins by binary search, the top decile by its lowest score.
"""

import json
import warnings
from pathlib import Path

import numpy as np
from scipy.special import expit, logit
from scipy.stats import ks_2samp, pearsonr, spearmanr
from sklearn import metrics
from sklearn.calibration import calibration_curve

HERE = Path(__file__).parent
BINS = 15
NAMES = ["accuracy", "balanced_accuracy", "macro_f1", "weighted_f1", "mcc", "auc", "gini", "average_precision", "ks", "brier",
         "log_loss", "ece_equal_count", "ece_equal_width", "recall_top_decile", "calibration_slope",
         "calibration_intercept", "ic_pearson", "ic_spearman", "quantile_spread_5", "quantile_spread_10"]


def figures(labels, scores):
    """Of a vector of P(1), or of one row of probabilities per label; two labels are outcomes 0 and 1."""
    if scores.ndim == 2 and scores.shape[1] == 2:
        scores = scores[:, 1]
    binary = scores.ndim == 1
    classes = np.arange(2 if binary else scores.shape[1])
    said = (scores > 0.5).astype(int) if binary else scores.argmax(axis=1)
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        labels, said, labels=classes, zero_division=0
    )
    per_class = zip(precision.tolist(), recall.tolist(), f1.tolist(), support.tolist())
    proba = np.column_stack([1 - scores, scores]) if binary else scores
    confidence, hit = (scores, labels == 1) if binary else (scores.max(axis=1), said == labels)
    reliability, equal_width = bins(confidence, hit), bins_of_equal_width(confidence, hit)
    ece = lambda some: sum(b["count"] * abs(b["predicted"] - b["observed"]) for b in some) / len(labels)
    found = {
        "rows": len(labels),
        "accuracy": metrics.accuracy_score(labels, said),
        "balanced_accuracy": metrics.balanced_accuracy_score(labels, said),
        "macro_f1": metrics.f1_score(labels, said, average="macro", zero_division=0),
        "weighted_f1": metrics.f1_score(labels, said, average="weighted", zero_division=0),
        "mcc": metrics.matthews_corrcoef(labels, said),
        "auc": (area := auc(labels, scores, classes)),
        "gini": None if area is None else 2 * area - 1,
        "average_precision": average_precision(labels, scores, classes),
        "ks": ks(labels, scores) if binary else None,
        "brier": metrics.brier_score_loss(labels, proba, labels=classes, scale_by_half=binary),
        "log_loss": metrics.log_loss(labels, proba, labels=classes),
        "ece_equal_count": ece(reliability),
        "ece_equal_width": ece(equal_width),
        "ece_bins": BINS,
        "recall_top_decile": recall_top_decile(labels, scores) if binary else None,
        **dict(zip(["calibration_slope", "calibration_intercept"], recalibrated(confidence, hit))),
        **(of_values(labels, scores) if binary else {}),
        "confusion": metrics.confusion_matrix(labels, said, labels=classes).tolist(),
        "per_class": [dict(zip(["precision", "recall", "f1", "support"], one)) for one in per_class],
        "reliability": reliability,
        "reliability_equal_width": equal_width,
    }
    return {key: float(value) if isinstance(value, np.floating) else value for key, value in found.items()}


def auc(labels, scores, classes):
    if len(set(labels)) < len(classes):
        return None
    if scores.ndim == 1:
        return metrics.roc_auc_score(labels, scores)
    return metrics.roc_auc_score(labels, scores, multi_class="ovr", average="macro")


def average_precision(labels, scores, classes):
    if scores.ndim == 1:
        return metrics.average_precision_score(labels, scores) if labels.any() else None
    if len(set(labels)) < len(classes):
        return None
    one_hot = labels[:, None] == classes
    return metrics.average_precision_score(one_hot, scores, average="macro")


def recalibrated(scores, hit):
    """Newton's method on all rows, until nothing moves; tests/given/statistic holds the fit to scikit-learn's."""
    scores = np.clip(scores, np.finfo(float).eps, 1 - np.finfo(float).eps)
    zeros, ones = scores[~hit], scores[hit]
    if not len(zeros) or not len(ones) or max(zeros) <= min(ones) or max(ones) <= min(zeros):
        return None, None
    design, beta = np.column_stack([logit(scores), np.ones(len(scores))]), np.zeros(2)
    for _ in range(500):
        p = expit(design @ beta)
        step = np.linalg.solve(design.T @ (design * (p * (1 - p))[:, None]), design.T @ (hit - p))
        beta += step * min(1, 0.5 / np.abs(step).max())
        if np.abs(step).max() < 1e-13:
            break
    return beta.tolist()


def of_values(labels, scores):
    constant = len(set(labels)) < 2 or len(set(scores)) < 2
    return {
        "ic_pearson": None if constant else pearsonr(scores, labels)[0],
        "ic_spearman": None if constant else spearmanr(scores, labels)[0],
        "quantile_spread_5": spread(labels, scores, 5),
        "quantile_spread_10": spread(labels, scores, 10),
    }


def spread(labels, scores, parts):
    """Every row is cut into as many pieces as there are parts: then no row lies across a border."""
    if len(labels) < parts or len(set(scores)) < 2:
        return None
    _, at = np.unique(scores, return_inverse=True)
    means = np.bincount(at, labels) / np.bincount(at)
    pieces = np.repeat(np.sort(at), parts)
    return float(means[pieces[-len(labels):]].mean() - means[pieces[: len(labels)]].mean())


def ks(labels, scores):
    ones, zeros = scores[labels == 1], scores[labels == 0]
    return ks_2samp(ones, zeros, method="asymp").statistic if len(ones) and len(zeros) else None


def recall_top_decile(labels, scores):
    """Of the rows at the border, which have no order, as many as their part of the places that are left."""
    places = len(labels) // 10
    if not places or not labels.sum():
        return None
    border = np.sort(scores)[-places]
    above, at = scores > border, scores == border
    share = (places - above.sum()) / at.sum()
    return (labels[above].sum() + share * labels[at].sum()) / labels.sum()


def bins(scores, hit):
    """Equal mass; rows of one score share the bin of the first of them."""
    rank = np.searchsorted(np.sort(scores), scores, side="left")
    ends = np.arange(1, BINS + 1) * len(scores) // BINS
    bin_of = np.searchsorted(ends, rank, side="right")
    return [
        {"count": int(at.sum()), "predicted": float(scores[at].mean()), "observed": float(hit[at].mean())}
        for at in (bin_of == number for number in np.unique(bin_of))
    ]


def bins_of_equal_width(scores, hit):
    """Means by scikit-learn, which leaves empty bins out; it does not tell the counts."""
    observed, predicted = calibration_curve(hit, scores, pos_label=1, n_bins=BINS, strategy="uniform")
    bin_of = np.digitize(scores, np.linspace(0, 1, BINS + 1)[1:-1], right=True)
    counts = [int(count) for count in np.bincount(bin_of, minlength=BINS) if count]
    return [
        {"count": count, "predicted": float(p), "observed": float(o)}
        for count, p, o in zip(counts, predicted, observed, strict=True)
    ]


def below(count, state):
    """SplitMix64: the next index below `count`, and the next state."""
    mask = (1 << 64) - 1
    state = (state + 0x9E3779B97F4A7C15) & mask
    z = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & mask
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
    return ((z ^ (z >> 31)) * count) >> 64, state


def bootstrap(labels, scores, groups, resamples, seed, level):
    members = {}
    for row, group in enumerate(range(len(labels)) if groups is None else groups):
        members.setdefault(int(group), []).append(row)
    members = list(members.values())
    drawn, state = {name: [] for name in NAMES}, seed
    for _ in range(resamples):
        rows = []
        for _ in members:
            at, state = below(len(members), state)
            rows.append(at)
        rows = [row for at in sorted(rows) for row in members[at]]
        rows.sort()
        found = figures(labels[rows], scores[rows])
        for name in NAMES:
            drawn[name] += [] if found.get(name) is None else [found[name]]
    outside = 100 * (1 - level) / 2
    interval = lambda values: dict(
        zip(["low", "high"], np.percentile(values, [outside, 100 - outside]).tolist()), resamples=len(values)
    )
    return {
        "groups": None if groups is None else groups.tolist(),
        "resamples": resamples,
        "seed": seed,
        "level": level,
        "intervals": {name: interval(values) for name, values in drawn.items() if values},
    }


def case(name, labels, scores, groups=None, resamples=0):
    classes = 2 if scores.ndim == 1 else scores.shape[1]
    shares = np.bincount(labels, minlength=classes) / len(labels)
    guess = np.full(len(labels), shares[1]) if scores.ndim == 1 else np.tile(shares, (len(labels), 1))
    return {
        "name": name,
        "classes": None if scores.ndim == 1 else classes,
        "labels": labels.tolist(),
        "scores": scores.ravel().tolist(),
        "figures": figures(labels, scores),
        "guess": figures(labels, guess),
        "bootstrap": bootstrap(labels, scores, groups, resamples, 7, 0.9) if resamples else None,
    }


def softmax(logits, digits):
    """Whole steps of 10^-digits that add up to one."""
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    steps = np.floor(shares * 10**digits).astype(int)
    steps[:, 0] += 10**digits - steps.sum(axis=1)
    return steps / 10**digits


def main():
    warnings.simplefilter("ignore")
    random = np.random.default_rng(20)
    binary = lambda rows, share, spread, digits: (
        labels := (random.random(rows) < share).astype(int),
        np.round(1 / (1 + np.exp(-random.normal(spread * (labels - 0.5), 1))), digits),
    )
    classes = lambda rows, shares, digits: (
        labels := random.choice(len(shares), rows, p=shares),
        softmax(random.normal(size=(rows, len(shares))) + np.eye(len(shares))[labels], digits),
    )
    few = np.array([0, 1, 0, 0, 1, 0, 1])
    sure = np.array([0, 1, 1, 0, 1, 0, 0, 0, 0, 1, 0, 0])
    cases = [
        case("balanced", *binary(200, 0.5, 1.0, 4)),
        case("ties", *binary(151, 0.4, 1.5, 1)),
        case("two in a hundred", *binary(300, 0.02, 2.0, 3)),
        case("backwards", *binary(100, 0.3, -1.5, 2)),
        case("constant", binary(90, 0.3, 1.0, 1)[0], np.full(90, 0.3)),
        case("even", binary(40, 0.5, 1.0, 1)[0], np.full(40, 0.5)),
        case("one outcome", np.zeros(50, int), np.round(random.random(50), 2)),
        case("few", few, np.array([0.2, 0.6, 0.6, 0.1, 0.4, 0.0, 1.0])),
        case("sure and right", sure, sure.astype(float)),
        case("sure and wrong", sure, 1.0 - sure),
        case("three classes", *classes(200, [0.3, 0.4, 0.3], 3)),
        case("three classes with ties", *classes(120, [0.2, 0.6, 0.2], 1)),
        case("three uneven classes", *classes(250, [0.04, 0.9, 0.06], 3)),
        case("a class that never came", *classes(60, [0.5, 0.5, 0.0], 3)),
        case("a class unheard of", np.arange(30) % 2, np.tile([0.45, 0.35, 0.2], (30, 1))),
        case("two classes", *classes(80, [0.6, 0.4], 3)),
        case("intervals", *binary(80, 0.3, 1.5, 1), resamples=60),
        case("intervals of groups", *binary(90, 0.05, 1.5, 2), groups=random.integers(0, 25, 90), resamples=60),
        case("intervals of classes", *classes(70, [0.3, 0.4, 0.3], 2), resamples=60),
    ]
    lines = [json.dumps(one, separators=(",", ":"), allow_nan=False) for one in cases]
    (HERE / "vectors.json").write_text("[\n" + ",\n".join(lines) + "\n]\n")


if __name__ == "__main__":
    main()
