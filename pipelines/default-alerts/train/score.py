"""How good PDs are, and how sure one can be of it. Numpy alone; knows no model."""

import numpy as np

DRAWS = 1000


def figures(pd, outcome):
    """AUC, KS, Brier score, log loss, and the share of failures in the riskiest tenth."""
    return {
        "auc": auc(pd, outcome),
        "ks": ks(pd, outcome),
        "brier": float(np.mean((pd - outcome) ** 2)),
        "log_loss": log_loss(pd, outcome),
        "recall_top_decile": recall(pd, outcome, 0.1),
    }


def auc(pd, outcome):
    """How often a failed firm has the higher PD than one that lived on; a tie counts half."""
    _, place, count = np.unique(pd, return_inverse=True, return_counts=True)
    middle = np.cumsum(count) - (count - 1) / 2
    failed = outcome.sum()
    above = middle[place][outcome == 1].sum() - failed * (failed + 1) / 2
    return float(above / (failed * (len(outcome) - failed)))


def ks(pd, outcome):
    """The widest gap between the two distributions of PD."""
    order = np.argsort(pd, kind="stable")
    last = np.r_[np.diff(pd[order]) > 0, True]
    share = lambda mark: np.cumsum(mark[order])[last] / mark.sum()
    return float(np.abs(share(outcome == 1) - share(outcome == 0)).max())


def log_loss(pd, outcome):
    """Mean of -ln p of what happened."""
    happened = np.where(outcome == 1, pd, 1 - pd)
    return float(-np.log(np.clip(happened, 1e-12, 1)).mean())


def recall(pd, outcome, share):
    """Which part of the failures is among the riskiest `share` of firms."""
    riskiest = np.argsort(-pd, kind="stable")[: round(share * len(pd))]
    return float(outcome[riskiest].sum() / outcome.sum())


def spread(pd, outcome, figure=auc):
    """The middle 95 % of a figure when firms are drawn again; one window is one firm."""
    random = np.random.default_rng(0)
    drawn = []
    while len(drawn) < DRAWS:
        firms = random.integers(len(pd), size=len(pd))
        if 0 < outcome[firms].sum() < len(firms):
            drawn.append(figure(pd[firms], outcome[firms]))
    return [float(bound) for bound in np.percentile(drawn, [2.5, 97.5])]


def spread_of_difference(pd, other, outcome):
    """The middle 95 % of how far the first AUC lies above the second, on the same drawn firms."""
    random = np.random.default_rng(0)
    drawn = []
    for _ in range(DRAWS):
        firms = random.integers(len(pd), size=len(pd))
        drawn.append(auc(pd[firms], outcome[firms]) - auc(other[firms], outcome[firms]))
    return [float(bound) for bound in np.percentile(drawn, [2.5, 97.5])]
