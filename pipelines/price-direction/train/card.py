"""The figures of MODEL_CARD.md, written between two marks, so that none is copied by hand.

The words around them are the author's.
"""

import numpy as np

import score
from marks import put, table

BEGIN = "<!-- figures: written by train/train.py -->"
END = "<!-- end of figures -->"
COLUMNS = {"macro_f1": "macro F1", "mcc": "MCC", "accuracy": "accuracy", "log_loss": "log loss"}


def write(path, rows, split, notes, given, seeds):
    """Replaces the figures in the card; `given` are the probabilities by model, `seeds` the networks' names."""
    labels = rows.label[split.test]
    shipped = given[next(name for name in seeds if "shipped" in name)]
    parts = [
        data(rows, split, notes),
        scores({name: score.figures(guess, labels) for name, guess in given.items()}, seeds),
        doubt(shipped, labels, notes["seeds"]["shipped"]),
        confusion(shipped, labels, rows.contract["labels"]),
    ]
    put(path, BEGIN, "\n\n".join(parts), END)


def data(rows, split, notes):
    """The parts of the data and their classes."""
    names = rows.contract["labels"]
    lines = []
    for part, ends in vars(split).items():
        coins = [np.char.startswith(rows.instrument[ends], coin).sum() for coin in ("BTC", "ETH")]
        shares = np.bincount(rows.label[ends], minlength=len(names)) / len(ends)
        span = notes["split"][part]
        times = f"{span['from'][:19]} to {span['to'][11:19]}"
        lines.append([part, times, len(ends), *coins, *(f"{share:.0%}" for share in shares)])
    heads = ["part", "last rows, UTC", "windows", "BTCUSDT", "ETHUSDT", *names]
    hashes = [f"- `{name}`: `{sha256}`" for name, sha256 in notes["captures_sha256"].items()]
    training = f"SHA-256 of the training rows: `{notes['training_rows_sha256']}`; of the captures:"
    return "\n".join([table(heads, lines, text_columns=2), "", training, "", *hashes])


def scores(results, seeds):
    """Every model on the same test windows."""
    lines = [[name, *(f"{result[key]:.3f}" for key in COLUMNS)] for name, result in results.items()]
    by_seed = [np.array([results[name][key] for name in seeds]) for key in COLUMNS]
    spreads = [f"{values.mean():.3f} ± {values.std(ddof=1):.3f}" for values in by_seed]
    lines.append([f"LSTM, mean ± standard deviation of {len(seeds)} seeds", *spreads])
    return table(["on the test windows", *COLUMNS.values()], lines)


def doubt(shipped, labels, seed):
    """What chance alone does to the shipped model's figures."""
    f1, mcc = ("{:.2f} to {:.2f}".format(*score.spread(shipped, labels, key)) for key in ("macro_f1", "mcc"))
    return (
        f"Seed {seed} is shipped: its validation loss is the lowest. When the test is redrawn in blocks of 10 s, the\n"
        f"middle 95 % of its macro F1 are {f1}, of its MCC {mcc}."
    )


def confusion(shipped, labels, names):
    """What happened, and what the shipped model said."""
    lines = [[name, *counts] for name, counts in zip(names, score.confusion(shipped, labels))]
    return table(["happened \\ said", *names], lines)
