"""Makes the model of this pipeline: `make train PIPELINE=price-direction/ibm`.

Has the engine make the rows of five sessions, trains on the first three as recipe.toml says, ships the seed that is
best on the fourth, and writes model.onnx, linear.json and the figures in MODEL_CARD.md. The fifth session is looked
at once, at the end. What the model earns is the matter of backtest.py.
"""

import hashlib

import numpy as np

from sessions import PIPELINE, RECIPE, archives, divide, export as export_rows, prepare

import baselines
import card
import export
import score
from network import fit, probabilities

SEEDS = RECIPE["seeds"]
BEGIN = "<!-- figures: written by train/train.py -->"
END = "<!-- end of figures -->"
COLUMNS = {"macro_f1": "macro F1", "mcc": "MCC", "accuracy": "accuracy", "log_loss": "log loss"}


def main():
    if RECIPE["network"] != "lstm":
        raise SystemExit(f"while reading recipe.toml: network is {RECIPE['network']}; only lstm is exported")
    rows = export_rows()
    split = divide(rows)
    normalise = prepare.normalisation(rows, split.train)
    train, validation, test = prepare.parts(rows, split, normalise)
    print("windows:", ", ".join(f"{len(ends)} {name}" for name, ends in vars(split).items()), flush=True)

    last = baselines.logistic(train, validation, baselines.last_row)
    trees = baselines.boosted(train, validation)
    fitted = {seed: fit(RECIPE, train, validation, seed) for seed in SEEDS}
    shipped = min(SEEDS, key=lambda seed: fitted[seed][1])

    # From here on the fifth session is read.
    models = {
        "majority guess": lambda part: baselines.majority(train, part[1]),
        "logistic regression, last row (`linear.json`)": lambda part: last.predict_proba(baselines.last_row(part[0])),
        "LightGBM, last row, lags and means": lambda part: trees.predict_proba(baselines.lagged(part[0])),
    }
    for seed, (network, loss, epoch) in fitted.items():
        mark = ", shipped" if seed == shipped else ""
        name = f"LSTM, seed {seed} (epoch {epoch}, loss on the fourth session {loss:.3f}{mark})"
        models[name] = lambda part, network=network: probabilities(network, part[0])
    given = {name: say(test) for name, say in models.items()}

    network = fitted[shipped][0]
    said = probabilities(network, prepare.windows(rows, split.train, *normalise))
    notes = {
        "training_rows_sha256": prepare.digest(rows, split.train),
        "archives_sha256": digests(archives("train", "choose", "report")),
        "split": RECIPE["sessions"],
        "seeds": {"tried": SEEDS, "shipped": shipped},
        "metrics": score.figures(probabilities(network, test[0]), test[1]),
        "score_baseline": prepare.tenths(score.of_signal(said), 10).tolist(),
        "feature_baseline": dict(
            zip(rows.contract["features"], prepare.tenths(rows.cells[split.train]).T.tolist())
        ),
    }
    path = PIPELINE / "model.onnx"
    export.write_onnx(path, network, rows.contract, normalise, notes)
    export.check_onnx(path, network, prepare.windows(rows, split.test[:2000]), test[0][:2000])
    export.write_linear(PIPELINE / "linear.json", last, rows.contract, normalise)
    card.put(PIPELINE / "MODEL_CARD.md", BEGIN, "\n\n".join(figures(rows, split, notes, given, test[1])), END)


def digests(paths):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def figures(rows, split, notes, given, labels):
    """What stands between the marks of the card."""
    names = rows.contract["labels"]
    lines = []
    for part, ends in vars(split).items():
        first, last = (np.datetime64(int(pick(rows.ts_event[ends])), "ns") for pick in (np.min, np.max))
        shares = np.bincount(rows.label[ends], minlength=len(names)) / len(ends)
        times = f"{str(first)[:19]} to {str(last)[:19]}"
        lines.append([part, times, len(ends), *(f"{share:.0%}" for share in shares)])
    yield card.table(["part", "last rows, UTC", "windows", *names], lines, text_columns=2)
    yield f"SHA-256 of the training rows: `{notes['training_rows_sha256']}`; of the archives:"
    yield "\n".join(f"- `{name}`: `{sha256}`" for name, sha256 in notes["archives_sha256"].items())
    results = {name: score.figures(guess, labels) for name, guess in given.items()}
    lines = [[name, *(f"{result[key]:.3f}" for key in COLUMNS)] for name, result in results.items()]
    yield card.table(["on the fifth session", *COLUMNS.values()], lines)
    shipped = given[next(name for name in given if "shipped" in name)]
    f1, mcc = ("{:.2f} to {:.2f}".format(*score.spread(shipped, labels, key)) for key in ("macro_f1", "mcc"))
    yield (
        f"When the fifth session is redrawn in blocks of 100 trades, the middle 95 % of the shipped model's macro F1\n"
        f"are {f1}, of its MCC {mcc}."
    )


if __name__ == "__main__":
    main()
