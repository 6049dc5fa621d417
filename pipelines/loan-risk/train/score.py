"""How good a PD and a grade are, in the figures of the card, and how sure one can be of them.

Knows no model.
"""

import numpy as np
from sklearn.metrics import brier_score_loss, cohen_kappa_score, log_loss, roc_auc_score, roc_curve

BINS = 15
DRAWS = 1000


def figures(pd, outcome):
    """AUC, KS, Brier score, log loss and calibration error of a PD."""
    constant = np.ptp(pd) == 0
    false, true, _ = roc_curve(outcome, pd)
    return {
        "auc": 0.5 if constant else float(roc_auc_score(outcome, pd)),
        "ks": 0.0 if constant else float((true - false).max()),
        "brier": float(brier_score_loss(outcome, pd)),
        "log_loss": float(log_loss(outcome, pd)),
        "ece": calibration_error(pd, outcome),
    }


def calibration_error(pd, outcome):
    """Mean distance of PD and default rate over 15 bins of equally many rows."""
    bins = np.array_split(np.argsort(pd, kind="stable"), BINS)
    return float(sum(len(rows) * abs(pd[rows].mean() - outcome[rows].mean()) for rows in bins) / len(pd))


def spread(pd, outcome):
    """The middle 95 % of the AUC over redrawn rows."""
    random = np.random.default_rng(0)
    drawn = []
    for _ in range(DRAWS):
        rows = random.integers(len(pd), size=len(pd))
        drawn.append(roc_auc_score(outcome[rows], pd[rows]))
    return [float(bound) for bound in np.percentile(drawn, [2.5, 97.5])]


def default_rates(grade, outcome):
    """Observed default rate of each grade."""
    return [float(outcome[grade == at].mean()) if (grade == at).any() else float("nan") for at in range(3)]


def agreement(grade, teacher):
    """Share of equal grades, and kappa with quadratic weights."""
    return float((grade == teacher).mean()), float(cohen_kappa_score(grade, teacher, weights="quadratic"))
