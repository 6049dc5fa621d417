"""The teacher, and what the network is held against: a constant, logistic regression, LightGBM.

Each is fitted on the same training rows; LightGBM is both the teacher and the bar to reach.
"""

import lightgbm
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

INNER_FOLDS = 5
TEACHERS = 2


class Trees:
    """PD as the mean of two LightGBM models that differ in their seed."""

    def __init__(self, cells, outcome):
        self.models = [boosted(seed).fit(cells, outcome) for seed in range(TEACHERS)]

    def __call__(self, cells):
        return np.mean([model.predict_proba(cells)[:, 1] for model in self.models], axis=0)


def boosted(seed):
    """Small, slow, shuffled trees; all settings were chosen once, before any test row was scored."""
    return lightgbm.LGBMClassifier(
        n_estimators=250, learning_rate=0.03, num_leaves=16, min_child_samples=60, subsample=0.7, subsample_freq=1,
        colsample_bytree=0.5, reg_lambda=5, random_state=seed, n_jobs=1, deterministic=True, force_row_wise=True,
        verbose=-1,
    )  # fmt: skip


def logistic(inputs, outcome):
    """Logistic regression on standardised columns."""
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(inputs, outcome)


def teach(cells, outcome, others):
    """Calibrated PDs of the training rows, each by trees that have not seen it, and of `others` by all trees.

    Calibration is one logistic step on the log-odds of the unseen rows.
    """
    unseen = np.zeros(len(outcome))
    parts = StratifiedKFold(INNER_FOLDS, shuffle=True, random_state=1).split(cells, outcome)
    for seen, held_out in parts:
        unseen[held_out] = Trees(cells[seen], outcome[seen])(cells[held_out])
    whole = Trees(cells, outcome)
    step = LogisticRegression(C=1e6).fit(log_odds(unseen)[:, None], outcome)
    calibrated = lambda pd: step.predict_proba(log_odds(pd)[:, None])[:, 1]
    return calibrated(unseen), [calibrated(whole(asked)) for asked in others]


def log_odds(pd):
    return np.log(pd / (1 - pd))
