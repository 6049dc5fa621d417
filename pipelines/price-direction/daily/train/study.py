"""What the choices rest on: variations of the recipe, each judged by the folds. Never sees the test.

    python study.py

writes the table of variations in MODEL_CARD.md, from the rows that train.py had exported.
"""

import functools
import itertools
import json
import tomllib
from pathlib import Path

import numpy as np

import card
import prepare
import score
from network import fit, up

RECIPE = tomllib.loads((Path(__file__).parent / "recipe.toml").read_text())
BEGIN = "<!-- study: written by train/study.py -->"
END = "<!-- end of study -->"
HEADS = ["variation", "accuracy", "MCC", "AUC", "log loss"]


def main():
    told = [json.loads(line) for line in (prepare.OUT / "labels.jsonl").read_text().splitlines()]
    rows = prepare.read(prepare.OUT / "rows.parquet", told)
    folds = functools.cache(lambda steps: list(prepare.folds(rows, steps)))
    lines = table(RECIPE, rows.contract["features"], folds)
    card.put(prepare.PIPELINE / "MODEL_CARD.md", BEGIN, card.table(HEADS, lines), END)


def judge(recipe, folds, keep=None):
    """Mean figures over the folds; `keep` are the columns that the network sees."""
    cut = lambda windows: windows[..., keep] if keep is not None else windows
    found = []
    for early, late in folds:
        networks = [fit(recipe, (cut(early[0]), early[1]), seed) for seed in recipe["study"]["seeds"]]
        found.append(list(score.figures(up(networks, cut(late[0])), late[1]).values()))
    return np.mean(found, axis=0), np.array(found)


def variations(recipe, features):
    """(name, recipe, columns) of each; the first is the recipe as it stands."""
    study = recipe["study"]
    every = list(range(len(features)))
    yield "as in the recipe", recipe, every
    for what, names in study["without"].items():
        yield f"without {what}", recipe, [at for at in every if features[at] not in names]
    yield "the market alone", recipe, [features.index(name) for name in study["without"]["the market"]]
    for steps in study["steps"]:
        yield f"windows of {steps} days", recipe | {"steps": steps}, every
    for epochs in study["epochs"]:
        yield f"{epochs} epochs", recipe | {"epochs": epochs}, every
    choices = itertools.product(study["network"], study["optimiser"].items(), study["loss"])
    for network, (optimiser, epochs), loss in choices:
        changed = {"network": network, "optimiser": optimiser, "epochs": epochs, "loss": loss}
        if not changed.items() <= recipe.items():
            name = ", ".join([network, optimiser.replace("_", " "), loss.replace("_", " "), f"{epochs} epochs"])
            yield name, recipe | changed, every


def table(recipe, features, folds):
    """One line for each variation; `folds` makes windows of so many steps."""
    lines = []
    for name, changed, keep in variations(recipe, features):
        mean, each = judge(changed, folds(changed["steps"]), keep)
        lines.append([name, *(f"{value:.3f}" for value in mean)])
        print(*lines[-1], "MCC by fold:", *(f"{value:+.3f}" for value in each[:, 1]), flush=True)
    return lines


if __name__ == "__main__":
    main()
