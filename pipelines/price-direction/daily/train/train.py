"""Makes the model of this pipeline: `make train PIPELINE=price-direction/daily`.

Has the engine make the rows, trains as recipe.toml says, and writes model.onnx, linear.json, golden.jsonl
and the figures in MODEL_CARD.md. The test rows are looked at once, at the end.
"""

import functools
import tomllib
from pathlib import Path

import numpy as np

import baselines
import card
import export
import golden
import prepare
import score
from network import fit, up
from run import Model

RECIPE = tomllib.loads((Path(__file__).parent / "recipe.toml").read_text())
MODEL = prepare.PIPELINE / "model.onnx"
# How far ONNX Runtime may lie from PyTorch, in probability.
TOLERANCE = 1e-5


def main():
    if RECIPE["network"] != "lstm":
        raise SystemExit(f"while reading recipe.toml: network is {RECIPE['network']}; only lstm is exported")
    rows, steps = prepare.export(), RECIPE["steps"]
    parts = {split: prepare.ends(rows, split, steps) for split in prepare.SPLITS}
    normalise = prepare.normalisation(rows, parts["train"])
    windows = {split: prepare.windows(rows, at, steps, *normalise) for split, at in parts.items()}
    print({split: f"{len(at)} windows" for split, at in parts.items()}, flush=True)
    train = windows["train"], rows.label[parts["train"]]
    members = {seed: fit(RECIPE, train, seed) for seed in RECIPE["seeds"]}
    dense = [fit(RECIPE | {"network": "dense"}, train, seed) for seed in RECIPE["seeds"]]
    models = baselines.fitted(list(prepare.folds(rows, steps)), train)
    models |= {f"dense, {len(dense)} seeds averaged": functools.partial(up, dense)}
    models |= {f"LSTM, seed {seed}": functools.partial(up, [network]) for seed, network in members.items()}
    shipped = f"LSTM, {len(members)} seeds in one graph (shipped)"
    networks = list(members.values())
    models[shipped] = functools.partial(up, networks)
    sha256 = prepare.digest(rows, parts["train"])

    # From here on the test is read.
    given = {split: {name: say(windows[split]) for name, say in models.items()} for split in ("dev", "test")}
    figures = {split: score.figures(given[split][shipped], rows.label[parts[split]]) for split in given}
    known = {
        **{key: rows.contract[key] for key in ("features", "features_sha256", "labels")},
        "horizon_ms": 86_400_000,
    }
    notes = {
        **known,
        "name": "price-direction-daily",
        "version": "1",
        "steps": steps,
        "training_rows_sha256": sha256,
        "split": prepare.SPLITS,
        "seeds": RECIPE["seeds"],
        "score_baseline": prepare.tenths(2 * up(networks, windows["train"]) - 1, 10).tolist(),
        "feature_baseline": dict(zip(known["features"], prepare.tenths(rows.cells[parts["train"]]).T.tolist())),
        "metrics": figures["test"],
        "dev_metrics": figures["dev"],
    }
    export.write(MODEL, export.graph(networks, normalise, steps, len(rows.contract["features"])), notes)
    export.write_linear(prepare.PIPELINE / "linear.json", models[baselines.LINEAR].model, known, normalise)
    model = Model(str(MODEL))
    as_read = prepare.windows(rows, parts["test"], steps)
    check(model, as_read, given["test"][shipped])
    golden.write(prepare.PIPELINE / "golden.jsonl", model)
    card.write(
        prepare.PIPELINE / "MODEL_CARD.md",
        rows=rows,
        parts=parts,
        given=given,
        shipped=shipped,
        training_sha256=sha256,
        cost=model.microseconds(as_read),
    )


def check(model, windows, said):
    """Holds the file against PyTorch."""
    difference = float(np.abs(model.up(windows) - said).max())
    print(f"{MODEL.name}: {MODEL.stat().st_size} bytes, largest difference to PyTorch {difference:.1e}", flush=True)
    if difference > TOLERANCE:
        raise SystemExit(f"while checking {MODEL}: ONNX Runtime and PyTorch differ by {difference:g}; do not ship it")


if __name__ == "__main__":
    main()
