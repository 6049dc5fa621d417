"""The figures of MODEL_CARD.md, written between two marks, so that none is copied by hand.

The words around them are the author's.
"""

import numpy as np

import score

BEGIN = "<!-- figures: written by train/train.py -->"
END = "<!-- end of figures -->"
COLUMNS = {"macro_f1": "macro F1", "mcc": "MCC", "accuracy": "accuracy", "log_loss": "log loss"}


def write(path, rows, split, notes, given, results, labels):
    """Replaces the figures in the card."""
    before, rest = path.read_text().split(BEGIN)
    after = rest.split(END)[1]
    parts = [data(rows, split, notes), scores(given, results, labels), doubt(given, labels, notes)]
    path.write_text(before + BEGIN + "\n" + "\n\n".join(parts) + "\n" + END + after)


def data(rows, split, notes):
    """The parts of the data and their classes."""
    names = rows.contract["labels"]
    lines = ["| part | windows | BTCUSDT | ETHUSDT | " + " | ".join(names) + " | last rows, UTC |", "| --- |" + " ---: |" * 6 + " --- |"]
    for part, ends in vars(split).items():
        coins = [np.char.startswith(rows.instrument[ends], coin).sum() for coin in ("BTC", "ETH")]
        shares = np.bincount(rows.label[ends], minlength=len(names)) / len(ends)
        times = f"{notes['split'][part]['from'][:19]} to {notes['split'][part]['to'][11:19]}"
        cells = [part, len(ends), *coins, *(f"{share:.0%}" for share in shares), times]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    lines += ["", f"SHA-256 of the training rows: `{notes['training_rows_sha256']}`; of the captures:", ""]
    lines += [f"- `{name}`: `{sha256}`" for name, sha256 in notes["captures_sha256"].items()]
    return "\n".join(lines)


def scores(given, results, labels):
    """Every model on the same test windows."""
    lines = ["| on the test windows | " + " | ".join(COLUMNS.values()) + " |", "| --- |" + " ---: |" * len(COLUMNS)]
    for name, result in results.items():
        lines.append(f"| {name} | " + " | ".join(f"{result[key]:.3f}" for key in COLUMNS) + " |")
    seeds = [result for name, result in results.items() if name.startswith("LSTM")]
    cells = [np.array([result[key] for result in seeds]) for key in COLUMNS]
    lines.append(f"| LSTM, mean ± spread of {len(seeds)} seeds | " + " | ".join(f"{c.mean():.3f} ± {c.std(ddof=1):.3f}" for c in cells) + " |")
    return "\n".join(lines)


def doubt(given, labels, notes):
    """What chance alone does to the shipped model's figures, and its confusion."""
    shipped = next(guess for name, guess in given.items() if "shipped" in name)
    bounds = {key: "{:.3f} to {:.3f}".format(*score.spread(shipped, labels, key)) for key in ("macro_f1", "mcc")}
    names = ["down", "flat", "up"]
    lines = [
        f"Seed {notes['seeds']['shipped']} is shipped: it has the lowest validation loss. Redrawing the test in blocks of 10 s,",
        f"95 % of its macro F1 lie in {bounds['macro_f1']}, of its MCC in {bounds['mcc']}.",
        "",
        "| happened \\ said | " + " | ".join(names) + " |",
        "| --- |" + " ---: |" * len(names),
    ]
    for name, line in zip(names, score.confusion(shipped, labels)):
        lines.append(f"| {name} | " + " | ".join(map(str, line)) + " |")
    return "\n".join(lines)
