"""What the network is held against: a majority guess, logistic regression, LightGBM, on the same rows.

Each is fitted on the training windows; its one free choice is made on the validation windows.
"""

import lightgbm
import numpy as np
from sklearn.linear_model import LogisticRegression

from network import log_loss

STRENGTHS = [1e-1, 1e-2, 1e-3, 1e-4, 1e-5]
LAGS = [0, 5, 10, 20, 49]
MEANS = [10, 50]


def majority(train, asked):
    """The classes' shares in training, whatever the window."""
    shares = np.bincount(train[1], minlength=3) / len(train[1])
    return np.tile(shares, (len(asked), 1))


def last_row(windows):
    return windows[:, -1].astype(np.float64)


def flattened(windows):
    return windows.reshape(len(windows), -1).astype(np.float64)


def lagged(windows):
    """The last row, some rows before it, and means over the window's end."""
    rows = [windows[:, -1 - lag] for lag in LAGS]
    return np.concatenate(rows + [windows[:, -n:].mean(axis=1) for n in MEANS], axis=1)


def logistic(train, validation, columns):
    """Multinomial logistic regression; the regularisation that validates best."""
    fitted = []
    for strength in STRENGTHS:
        model = LogisticRegression(C=strength, max_iter=1000)
        model.fit(columns(train[0]), train[1])
        loss = log_loss(model.predict_proba(columns(validation[0])), validation[1])
        fitted.append((loss, strength, model))
    loss, strength, model = min(fitted, key=lambda entry: entry[0])
    print(f"logistic regression, {columns.__name__}: C {strength}, validation log loss {loss:.4f}", flush=True)
    return model


def boosted(train, validation):
    """LightGBM on `lagged`; the number of trees that validates best."""
    model = lightgbm.LGBMClassifier(
        n_estimators=300, learning_rate=0.05, num_leaves=8, min_child_samples=50,
        random_state=0, n_jobs=1, deterministic=True, force_row_wise=True, verbose=-1,
    )  # fmt: skip
    stop = lightgbm.early_stopping(30, verbose=False)
    asked = {"eval_X": lagged(validation[0]), "eval_y": validation[1]}
    model.fit(lagged(train[0]), train[1], **asked, eval_metric="multi_logloss", callbacks=[stop])
    print(f"LightGBM: {model.best_iteration_} trees", flush=True)
    return model
