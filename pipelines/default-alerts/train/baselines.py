"""What the network is held against, on the same windows, and the teacher it learns from.

Each is fitted on the training windows; its one free choice is made on the validation windows.
"""

import lightgbm
import numpy as np
import onnxruntime
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import prepare
from ratios import NAMES
from score import log_loss

STRENGTHS = [1.0, 0.1, 1e-2, 1e-3]
TREES = [50, 100, 150, 200, 300]
FOLDS = 5
# The authors' weights; their graph takes the same rows.
PUBLISHED = "multihead_lstm_window4.onnx"


def levels(inputs):
    """The ratios without their changes, all years side by side."""
    return inputs[..., : len(NAMES)].reshape(len(inputs), -1)


def columns(inputs):
    """All years' ratios, what changed in one year and in three, and the mean."""
    level = inputs[..., : len(NAMES)]
    changes = [level[:, -1] - level[:, -2], level[:, -1] - level[:, 0]]
    return np.concatenate([levels(inputs), *changes, level.mean(axis=1)], axis=1)


def one_number(train):
    """Logistic regression on one number of each firm, so that it gives a PD."""
    model = LogisticRegression(C=1e6).fit(train[0][:, None], train[1])
    return lambda numbers: model.predict_proba(numbers[:, None])[:, 1]


def logistic(train, validation):
    """Logistic regression on all years' ratios; the regularisation that validates best."""
    fitted = []
    for strength in STRENGTHS:
        model = LogisticRegression(C=strength, max_iter=2000).fit(levels(train[0]), train[1])
        fitted.append((log_loss(model.predict_proba(levels(validation[0]))[:, 1], validation[1]), strength, model))
    loss, strength, model = min(fitted, key=lambda entry: entry[0])
    print(f"logistic regression: C {strength}, validation log loss {loss:.4f}", flush=True)
    return lambda inputs: model.predict_proba(levels(inputs))[:, 1]


def newest(rows):
    """The newest year's items."""
    return rows[:, -1].astype(np.float64)


def linear(train, validation):
    """Logistic regression on the newest year's items as they are, chosen likewise: what linear.json can hold."""
    fitted = []
    for strength in STRENGTHS:
        model = make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=2000))
        model.fit(newest(train[0]), train[1])
        fitted.append((log_loss(model.predict_proba(newest(validation[0]))[:, 1], validation[1]), strength, model))
    loss, strength, model = min(fitted, key=lambda entry: entry[0])
    print(f"logistic regression, newest items: C {strength}, validation log loss {loss:.4f}", flush=True)
    return model


def grow(inputs, outcome, trees=200, seed=0):
    """LightGBM on `columns`."""
    return grow_on(columns(inputs), outcome, trees, seed)


def grow_on(made, outcome, trees, seed):
    """The same on columns that are made."""
    model = lightgbm.LGBMClassifier(
        n_estimators=trees, learning_rate=0.03, num_leaves=8, min_child_samples=20, subsample=0.8, subsample_freq=1,
        colsample_bytree=0.3, reg_lambda=5.0, random_state=seed, n_jobs=1, deterministic=True, force_row_wise=True,
        verbose=-1,
    )  # fmt: skip
    return model.fit(made, outcome)


def boosted(train, validation):
    """LightGBM with the number of trees that validates best."""
    fitted = []
    for trees in TREES:
        model = grow(*train, trees)
        fitted.append((log_loss(tell(model, validation[0]), validation[1]), trees, model))
    loss, trees, model = min(fitted, key=lambda entry: entry[0])
    print(f"LightGBM: {trees} trees, validation log loss {loss:.4f}", flush=True)
    return lambda inputs: tell(model, inputs)


def tell(model, inputs):
    return model.predict_proba(columns(inputs))[:, 1]


def taught(inputs, outcome, seeds):
    """What LightGBM says of each training window that it was not grown on, averaged over foldings."""
    said = np.zeros(len(outcome))
    for seed in seeds:
        for rest, held in StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(inputs, outcome):
            said[held] += tell(grow(inputs[rest], outcome[rest], seed=seed), inputs[held]) / len(seeds)
    return said


def published(rows):
    """PD of the authors' own network, as it comes."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(prepare.folder() / PUBLISHED, options, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: rows})[0][:, -1].astype(np.float64)
