"""Teacher, baselines and network on every fold: what the card's figures are made of.

A fold's test rows are seen by nothing that is fitted: not by the tables, the teacher or the network.
"""

from dataclasses import dataclass

import numpy as np
from sklearn.pipeline import Pipeline

import baselines
import network
import prepare
import score
import transform

MAJORITY, RAW, NORMAL = (
    "everyone at the base rate",
    "logistic regression, raw fields",
    "logistic regression, normal scores",
)
TREES, SHIPPED = "LightGBM (the teacher)", "dense 64-32-3"


@dataclass
class Fold:
    """What one fold taught."""

    parts: dict  # positions of train, validation and test rows
    table: transform.Transform
    bands: np.ndarray  # the teacher's, of the training rows
    expected_pd: list  # default rate of each band in training
    fitted: dict  # network and validation loss by seed
    seed: int  # of the network that validates best
    raw: Pipeline  # logistic regression on the fields as they are
    pd: dict  # of the test rows, by model
    grade: np.ndarray
    teacher: np.ndarray  # its bands of the test rows

    @property
    def network(self):
        return self.fitted[self.seed][0]


def fold(config, rows, held_out, seeds):
    """Fits everything with one fold held out."""
    split = prepare.divide(rows.outcome, rows.fold, held_out)
    parts = {name: np.flatnonzero(split == name) for name in ("train", "validation", "test")}
    cells, outcome = {name: rows.cells[at] for name, at in parts.items()}, rows.outcome[parts["train"]]
    table = transform.fit(rows.fields, cells["train"], config["categories"])
    inputs = {name: table.apply(part) for name, part in cells.items()}
    taught, (validating, tested) = baselines.teach(cells["train"], outcome, [cells["validation"], cells["test"]])
    bands = np.digitize(taught, config["cuts"])
    expected_pd = score.default_rates(bands, outcome)
    asked = inputs["validation"], np.digitize(validating, config["cuts"])
    train = inputs["train"], taught, config["cuts"]
    fitted = {seed: network.fit(table, train, asked, config["training"], seed) for seed in seeds}
    best = min(seeds, key=lambda seed: fitted[seed][1])
    given = network.probabilities(fitted[best][0], inputs["test"])
    plain = {name: np.where(np.isnan(part), table.usual, part) for name, part in cells.items()}
    raw, normal = baselines.logistic(plain["train"], outcome), baselines.logistic(inputs["train"], outcome)
    pd = {
        MAJORITY: np.full(len(given), outcome.mean()),
        RAW: raw.predict_proba(plain["test"])[:, 1],
        NORMAL: normal.predict_proba(inputs["test"])[:, 1],
        TREES: tested,
        SHIPPED: given @ expected_pd,
    }
    losses = ", ".join(f"{loss:.4f}" for _, loss in fitted.values())
    auc = score.figures(pd[SHIPPED], rows.outcome[parts["test"]])["auc"]
    print(f"fold {held_out}: validation losses {losses}; test AUC {auc:.4f}", flush=True)
    return Fold(
        parts, table, bands, expected_pd, fitted, best, raw, pd, given.argmax(1), np.digitize(tested, config["cuts"])
    )


def folds(config, rows, seeds):
    """All folds."""
    return [fold(config, rows, held_out, seeds) for held_out in range(prepare.FOLDS)]


def together(rows, all_folds, pick):
    """What each fold says of its test rows, in the order of the rows."""
    whole = np.zeros(len(rows.outcome))
    for one in all_folds:
        whole[one.parts["test"]] = pick(one)
    return whole


def compare(config, rows, held_out=prepare.TEST_FOLD):
    """The configured choices on the training side of one fold, scored on its validation rows: no test row is used."""
    split = prepare.divide(rows.outcome, rows.fold, held_out)
    train, validation = np.flatnonzero(split == "train"), np.flatnonzero(split == "validation")
    table = transform.fit(rows.fields, rows.cells[train], config["categories"])
    taught, (validating,) = baselines.teach(rows.cells[train], rows.outcome[train], [rows.cells[validation]])
    expected_pd = score.default_rates(np.digitize(taught, config["cuts"]), rows.outcome[train])
    asked = table.apply(rows.cells[validation]), np.digitize(validating, config["cuts"])
    for choice in config["compare"]:
        training = config["training"] | choice
        shown = table.apply(rows.cells[train]), taught, config["cuts"]
        fitted, loss = network.fit(table, shown, asked, training, seed=1)
        given = network.probabilities(fitted, asked[0])
        figures = score.figures(given @ expected_pd, rows.outcome[validation])
        print(f"{choice['name']}: {loss:.4f}", flush=True)
        yield training, loss, figures, score.agreement(given.argmax(1), asked[1])
