"""The figures of MODEL_CARD.md, written between two marks, so that none is copied by hand.

The words around them are the author's.
"""

import numpy as np

import baselines
import prepare
import score

BEGIN = "<!-- figures: written by train/train.py -->"
END = "<!-- end of figures -->"
COLUMNS = {"accuracy": "accuracy", "mcc": "MCC", "auc": "AUC", "log_loss": "log loss"}


def write(path, *, rows, parts, given, shipped, training_sha256, cost):
    """Replaces the figures in the card; `given` are probabilities of up by split and model."""
    test = rows.label[parts["test"]], rows.day[parts["test"]]
    sections = [
        data(rows, parts, training_sha256),
        scores(given, {split: rows.label[at] for split, at in parts.items()}, shipped),
        doubt(given["test"], shipped, *test),
        confusion(given["test"][shipped], test[0]),
        "### By month of the test\n\n" + months(given["test"][shipped], *test),
        f"### Cost\n\nONNX Runtime, one thread, one window: {cost:.0f} µs (median, on a machine that had other work).",
    ]
    put(path, BEGIN, "\n\n".join(sections), END)


def put(path, begin, text, end):
    """Replaces what stands between two marks."""
    before, rest = path.read_text().split(begin)
    after = rest.split(end)[1]
    path.write_text(before + begin + "\n" + text + "\n" + end + after)


def table(heads, lines, text_columns=1):
    """A Markdown table; numbers stand to the right."""
    marks = ["---" if at < text_columns else "---:" for at in range(len(heads))]
    return "\n".join("| " + " | ".join(map(str, cells)) + " |" for cells in [heads, marks, *lines])


def data(rows, parts, training_sha256):
    """The splits and their classes."""
    lines = []
    for split, at in parts.items():
        days, stocks = np.unique(rows.day[at]), np.unique(rows.instrument[at])
        share = rows.label[at].mean()
        lines.append(
            [split, f"{days[0]} to {days[-1]}", len(days), len(stocks), len(at), f"{1 - share:.1%}", f"{share:.1%}"]
        )
    heads = ["part", "predicted days", "days", "stocks", "windows", *prepare.LABELS]
    return table(heads, lines, text_columns=2) + f"\n\nSHA-256 of the training rows: `{training_sha256}`."


def scores(given, labels, shipped):
    """Every model on the same windows of dev and test."""
    lines = []
    for name in given["test"]:
        cells = []
        for split in ("dev", "test"):
            found = score.figures(given[split][name], labels[split])
            cells += [f"{found[key]:.3f}" for key in COLUMNS]
        lines.append([f"**{name}**" if name == shipped else name, *cells])
    heads = ["model", *(f"{split} {name}" for split in ("dev", "test") for name in COLUMNS.values())]
    return table(heads, lines)


def doubt(given, shipped, labels, days):
    """What chance alone does to the shipped model's figures."""
    said = given[shipped]
    span = lambda figure: "{:.3f} to {:.3f}".format(*score.spread(said, labels, days, figure))
    parts = []
    for short, name in (
        ("logistic regression", baselines.LINEAR),
        ("LightGBM", "LightGBM, last two days and mean"),
    ):
        difference = score.spread_of_difference(said, given[name], labels, days, score.accuracy)
        parts.append("{} {:+.3f} to {:+.3f}".format(short, *difference))
    spans = f"accuracy are {span(score.accuracy)}, of its MCC {span(score.mcc)}, of its AUC {span(score.auc)}."
    return (
        "When the test's days are drawn again, all stocks of a day together, the middle 95 % of the shipped model's\n"
        f"{spans}\nIts accuracy less that of another, on the same drawn days: {', '.join(parts)}."
    )


def confusion(said, labels):
    """What happened, and what the shipped model said."""
    lines = [[name, *counts] for name, counts in zip(prepare.LABELS, score.confusion(said, labels))]
    return table(["happened \\ said", *prepare.LABELS], lines)


def months(said, labels, days):
    lines = []
    for month in sorted({day[:7] for day in days}):
        here = np.char.startswith(days, month)
        shares = (f"{part[here].mean():.1%}" for part in (labels, said > 0.5))
        figures = f"{score.accuracy(said[here], labels[here]):.3f}", f"{score.mcc(said[here], labels[here]):.3f}"
        lines.append([month, here.sum(), *shares, *figures])
    return table(["month", "windows", "were up", "said up", "accuracy", "MCC"], lines)
