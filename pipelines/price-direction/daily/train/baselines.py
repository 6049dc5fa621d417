"""What the network is held against: a majority guess, logistic regression, LightGBM, on the same windows.

The one free choice of each is made by the mean MCC over the folds, as the network's choices are.
"""

from collections.abc import Callable
from dataclasses import dataclass

import lightgbm
import numpy as np
from sklearn.linear_model import LogisticRegression

from network import CLIP
from score import mcc

STRENGTHS = [1e-1, 1e-2, 1e-3, 1e-4]
TREES = [25, 50, 100, 200]
LINEAR = "logistic regression, last day (`linear.json`)"


def last_row(windows):
    """Not cut off: the engine's linear model, which this becomes, takes columns as they are."""
    return windows[:, -1].astype(np.float64)


def flattened(windows):
    return windows.clip(-CLIP, CLIP).reshape(len(windows), -1).astype(np.float64)


def moments(windows):
    """The last row, the one before it, and the mean."""
    return np.concatenate([windows[:, -1], windows[:, -2], windows.mean(axis=1)], axis=1)


def majority(train):
    """The share of ups in training, whatever the window."""
    share = train[1].mean()
    return lambda windows: np.full(len(windows), share)


@dataclass
class Logistic:
    """Logistic regression on `columns` of the windows."""

    columns: Callable
    model: LogisticRegression

    def __call__(self, windows):
        return self.model.predict_proba(self.columns(windows))[:, 1]


def logistic(columns, strength):
    """Fits one."""

    def fit(train):
        return Logistic(columns, LogisticRegression(C=strength, max_iter=2000).fit(columns(train[0]), train[1]))

    return fit


def boosted(trees):
    """LightGBM on `moments`."""

    def fit(train):
        model = lightgbm.LGBMClassifier(
            n_estimators=trees, learning_rate=0.03, num_leaves=8, min_child_samples=100, subsample=0.8,
            subsample_freq=1, colsample_bytree=0.5, reg_lambda=5.0, random_state=0, n_jobs=1, deterministic=True,
            force_row_wise=True, verbose=-1,
        )  # fmt: skip
        model.fit(moments(train[0]), train[1])
        return lambda windows: model.predict_proba(moments(windows))[:, 1]

    return fit


def chosen(name, makers, folds, train):
    """Fits on the training windows with the choice that the folds like best."""
    found = {
        choice: np.mean([mcc(make(early)(late[0]), late[1]) for early, late in folds])
        for choice, make in makers.items()
    }
    choice = max(found, key=found.get)
    print(f"{name}: {choice}, MCC over the folds {found[choice]:.3f}", flush=True)
    return makers[choice](train)


def fitted(folds, train):
    """Every baseline by name, as functions of windows."""
    by_strength = lambda columns: {strength: logistic(columns, strength) for strength in STRENGTHS}
    return {
        "majority guess": majority(train),
        LINEAR: chosen("logistic, last day", by_strength(last_row), folds, train),
        "logistic regression, whole window": chosen("logistic, window", by_strength(flattened), folds, train),
        "LightGBM, last two days and mean": chosen("LightGBM", {n: boosted(n) for n in TREES}, folds, train),
    }
