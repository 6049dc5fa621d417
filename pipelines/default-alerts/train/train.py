"""Makes the model of this pipeline: `make train PIPELINE=default-alerts`.

Writes the records, has the engine make the rows, trains as recipe.toml says, calibrates, and writes
model.onnx, linear.json, reasons.json, golden.jsonl and the figures in MODEL_CARD.md. No choice is made by
the test windows.
"""

import json
import tomllib
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

import baselines
import card
import compare
import export
import golden
import prepare
import ratios
import score
from grades import GRADES
from network import fit, logits, sigmoid
from run import Model

RECIPE = tomllib.loads((Path(__file__).parent / "recipe.toml").read_text())
MODEL = prepare.PIPELINE / "model.onnx"
# The outcome is told of the year after.
HORIZON_MS = 365 * 86_400_000
LINEAR = "logistic regression, items of the newest year (`linear.json`)"


def main():
    if not RECIPE["seeds"] or RECIPE["seeds"].keys() - {"attention", "lstm"}:
        raise SystemExit(
            f"while reading recipe.toml: seeds of {[*RECIPE['seeds']]}; only attention and lstm are exported"
        )
    windows = prepare.load()
    fitted = ratios.fit(windows["train"].rows)
    parts = {split: (ratios.inputs(part.rows, fitted), part.outcome) for split, part in windows.items()}
    train, validation = parts["train"], parts["validation"]
    print({split: f"{len(part[1])} windows, {part[1].sum()} failed" for split, part in parts.items()}, flush=True)

    teacher = baselines.taught(*train, RECIPE["teacher_seeds"])
    share = RECIPE["teacher_share"]
    lesson = train[0], share * teacher + (1 - share) * train[1]
    members = {}
    for kind, seed in ((kind, seed) for kind, seeds in RECIPE["seeds"].items() for seed in seeds):
        network, loss, epoch = fit(RECIPE | {"network": kind}, lesson, validation, seed)
        members[f"{kind}, seed {seed} (epoch {epoch}, validation loss {loss:.3f})"] = network
        print(list(members)[-1], flush=True)
    networks = list(members.values())
    calibration = calibrate(networks, validation, windows["train"].outcome)
    write(fitted, networks, calibration, windows)
    model = Model(str(MODEL))
    check(model, networks, calibration, parts["test"][0], windows["test"].rows)
    linear = baselines.linear(*((windows[split].rows, windows[split].outcome) for split in ("train", "validation")))
    known = {"features_sha256": windows["train"].features_sha256, "horizon_ms": HORIZON_MS}
    export.write_linear(prepare.PIPELINE / "linear.json", linear, calibration.prior_shift, known)

    # From here on only the card is made.
    bare = export.graph(fitted, networks, calibration, with_reasons=False)
    plain = prepare.OUT / "model-without-reasons.onnx"
    export.write(plain, bare, {})
    card.write(
        prepare.PIPELINE / "MODEL_CARD.md",
        windows=windows,
        shipped=model.each(windows["test"].rows),
        others=challengers(parts, windows, fitted, linear, members, calibration),
        calibration=calibration,
        compared=compare.table(RECIPE, train, validation),
        compare=RECIPE["compare"],
        cost=[made.microseconds(windows["test"].rows) for made in (model, Model(str(plain)))],
    )


def mean_logits(networks, inputs):
    return np.mean([logits(network, inputs) for network in networks], axis=0)


def calibrate(networks, validation, outcome):
    """Slope and intercept that fit the validation windows; and the shift to a year's rate of failure.

    A window is four firm-years, of which a failed firm failed in one: so much of the training data's
    firm-years end in failure. The windows themselves hold four times as much.
    """
    line = LogisticRegression(C=1e6).fit(mean_logits(networks, validation[0])[:, None], validation[1])
    odds = lambda rate: np.log(rate / (1 - rate))
    in_windows = outcome.mean()
    deployed = in_windows / prepare.STEPS
    return export.Calibration(line.coef_.item(), line.intercept_.item(), odds(deployed) - odds(in_windows))


def corrected(log_odds, calibration):
    """Log-odds of the networks as PD."""
    odds = calibration.slope * log_odds + calibration.intercept + calibration.prior_shift
    return np.maximum(sigmoid(odds), export.PD_FLOOR)


def write(fitted, networks, calibration, windows):
    """Writes the model with all it says of itself, then what is made with it."""
    graph, train = export.graph(fitted, networks, calibration), windows["train"]
    notes = {
        "name": "default-alerts",
        "version": "1",
        "features": prepare.ITEMS,
        "features_sha256": train.features_sha256,
        "horizon_ms": HORIZON_MS,
        "steps": str(prepare.STEPS),
        "reasons": export.REASONS,
        "grades": GRADES,
        "pd_floor": export.PD_FLOOR,
        "calibration": vars(calibration),
        "prior": {"windows": float(train.outcome.mean()), "deployed": float(train.outcome.mean() / prepare.STEPS)},
        "seed": json.dumps(RECIPE["seeds"]),
        "training_sha256": prepare.digest("train"),
        "feature_baseline": deciles_of_items(train.rows),
    }
    prepare.OUT.mkdir(parents=True, exist_ok=True)
    draft = prepare.OUT / "draft.onnx"
    export.write(draft, graph, {})
    said = {split: Model(str(draft)).each(part.rows)[0][:, 0].astype(np.float64) for split, part in windows.items()}
    figures = {split: score.figures(said[split], part.outcome) for split, part in windows.items()}
    notes |= {"metrics": figures["test"], "validation_metrics": figures["validation"]}
    notes["score_baseline"] = deciles_of_score(said["train"], train.outcome)
    export.write(MODEL, graph, notes)
    texts(prepare.PIPELINE / "reasons.json")
    golden.write(prepare.PIPELINE / "golden.jsonl", Model(str(MODEL)))
    print(f"{MODEL.name}: {MODEL.stat().st_size} bytes", flush=True)


def deciles_of_items(rows):
    """Nine inner decile borders of each item over all statements in training."""
    borders = np.nanquantile(rows.reshape(-1, len(prepare.ITEMS)), np.arange(1, 10) / 10, axis=0)
    return {name: [float(f"{value:.6g}") for value in borders[:, at]] for at, name in enumerate(prepare.ITEMS)}


def deciles_of_score(pd, outcome):
    """The 10, 20, … 100 % points of the training PDs, failed firms counted as often as the prior says."""
    rate = outcome.mean()
    weight = np.where(outcome == 1, 1 / prepare.STEPS, (1 - rate / prepare.STEPS) / (1 - rate))
    order = np.argsort(pd)
    below = np.cumsum(weight[order]) / weight.sum()
    at = np.searchsorted(below, np.arange(1, 11) / 10 - 1e-9)
    return [float(f"{value:.6g}") for value in pd[order][np.minimum(at, len(pd) - 1)]]


def texts(path):
    """Adds a text for every reason that has none; what someone edited stays."""
    known = json.loads(path.read_text()) if path.is_file() else {}
    when = ["in the newest year", "one year before", "two years before", "three years before"]
    said = lambda code: f"{card.spoken(code[:-3])} {when[int(code[-1])]}"
    path.write_text(json.dumps({code: known.get(code, said(code)) for code in export.REASONS}, indent=1) + "\n")


def check(model, networks, calibration, inputs, rows):
    """Holds the file against PyTorch."""
    pd = model.each(rows)[0][:, 0]
    difference = float(np.abs(pd - corrected(mean_logits(networks, inputs), calibration)).max())
    print(f"largest difference to PyTorch {difference:.1e}", flush=True)
    if difference > export.TOLERANCE:
        raise SystemExit(f"while checking {MODEL}: ONNX Runtime and PyTorch differ by {difference:g}; do not ship it")


def challengers(parts, windows, fitted, linear, members, calibration):
    """PDs of the test windows by every other model, all but the published one with the same prior correction."""
    train, validation, test = (parts[split] for split in prepare.SPLITS)
    shifted = lambda pd: sigmoid(np.log(pd / (1 - pd)) + calibration.prior_shift)
    altman = {split: -ratios.compress(ratios.altman(windows[split].rows, fitted)) for split in prepare.SPLITS}
    by_z = baselines.one_number((altman["train"], train[1]))
    rate = train[1].mean() * np.ones(len(test[1]))
    others = {
        "majority: the prior for every firm": shifted(rate),
        "Altman-like Z, newest year": shifted(by_z(altman["test"])),
        "logistic regression, ratios of all years": shifted(baselines.logistic(train, validation)(test[0])),
        LINEAR: sigmoid(linear.decision_function(baselines.newest(windows["test"].rows)) + calibration.prior_shift),
        "LightGBM, ratios of all years and their changes": shifted(baselines.boosted(train, validation)(test[0])),
        "published multi-head LSTM, as it comes": baselines.published(windows["test"].rows),
    }
    certain = np.clip(others["published multi-head LSTM, as it comes"], 1e-7, 1 - 1e-7)
    others["published multi-head LSTM, prior-corrected"] = shifted(certain)
    for name, network in members.items():
        others[name] = corrected(logits(network, test[0]), calibration)
    return others


if __name__ == "__main__":
    main()
