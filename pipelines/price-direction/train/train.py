"""Makes the model of this pipeline: `make train PIPELINE=price-direction`.

Exports the rows, trains as recipe.toml says, ships the seed that validates best, and writes model.onnx,
linear.json and the figures in MODEL_CARD.md. The test rows are looked at once, at the end.
"""

import hashlib
import tomllib
from pathlib import Path

import numpy as np

import baselines
import card
import export
import prepare
import score
from network import fit, probabilities

RECIPE = tomllib.loads((Path(__file__).parent / "recipe.toml").read_text())
SEEDS = RECIPE["seeds"]


def main():
    if RECIPE["network"] != "lstm":
        raise SystemExit(f"while reading recipe.toml: network is {RECIPE['network']}; only lstm is exported")
    rows = prepare.export()
    split = prepare.divide(rows)
    normalise = prepare.normalisation(rows, split.train)
    train, validation, test = prepare.parts(rows, split, normalise)
    print("windows:", ", ".join(f"{len(ends)} {name}" for name, ends in vars(split).items()), flush=True)

    last = baselines.logistic(train, validation, baselines.last_row)
    flat = baselines.logistic(train, validation, baselines.flattened)
    trees = baselines.boosted(train, validation)
    given = {
        "majority guess": baselines.majority(train, test[1]),
        "logistic regression, last row (`linear.json`)": last.predict_proba(baselines.last_row(test[0])),
        "logistic regression, whole window": flat.predict_proba(baselines.flattened(test[0])),
        "LightGBM, last row, lags and means": trees.predict_proba(baselines.lagged(test[0])),
    }
    fitted = {seed: fit(RECIPE, train, validation, seed) for seed in SEEDS}
    shipped = min(SEEDS, key=lambda seed: fitted[seed][1])
    seeds = []
    for seed, (network, loss, epoch) in fitted.items():
        mark = ", shipped" if seed == shipped else ""
        seeds.append(f"LSTM, seed {seed} (epoch {epoch}, validation loss {loss:.3f}{mark})")
        given[seeds[-1]] = probabilities(network, test[0])

    network = fitted[shipped][0]
    said = probabilities(network, prepare.windows(rows, split.train, *normalise))
    notes = {
        "training_rows_sha256": prepare.digest(rows, split.train),
        "captures_sha256": {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in prepare.captures()},
        "split": {name: span(rows, ends) for name, ends in vars(split).items()},
        "seeds": {"tried": SEEDS, "shipped": shipped},
        "metrics": score.figures(probabilities(network, test[0]), test[1]),
        "score_baseline": prepare.tenths(score.of_signal(said), 10).tolist(),
        "feature_baseline": dict(
            zip(rows.contract["features"], prepare.tenths(rows.cells[split.train]).T.tolist())
        ),
    }
    path = prepare.PIPELINE / "model.onnx"
    export.write_onnx(path, network, rows.contract, normalise, notes)
    export.check_onnx(path, network, prepare.windows(rows, split.test), test[0])
    export.write_linear(prepare.PIPELINE / "linear.json", last, rows.contract, normalise)
    card.write(prepare.PIPELINE / "MODEL_CARD.md", rows, split, notes, given, seeds)


def span(rows, ends):
    """How many windows a part has, and from when to when its last rows reach."""
    times = rows.ts_event[ends]
    first, last = (f"{np.datetime64(int(time), 'ms')}Z" for time in (times.min() // 10**6, times.max() // 10**6))
    return {"windows": len(ends), "from": first, "to": last}


if __name__ == "__main__":
    main()
