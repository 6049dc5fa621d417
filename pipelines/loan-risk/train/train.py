"""Makes the model of this pipeline: `make train PIPELINE=loan-risk`.

Writes the applications, has the engine make the rows, trains on every fold, ships the network of fold 0,
and writes model.onnx, linear.json, golden.jsonl and the figures in MODEL_CARD.md. Settings are config.toml's.
"""

import hashlib
import json
import tomllib
from pathlib import Path

import numpy as np

import baselines
import card
import explain
import export
import golden
import prepare
import runtime
import score
import study
from network import probabilities
from runtime import MODEL, PIPELINE

HORIZON_MS = 31 * 86_400_000  # the month after the latest statement
PROTECTED = ["sex", "marriage", "age"]
# Other sets: borders of the bands, and fields that are not read.
OTHERS = {
    "south-german": ("South German credit", [0.16, 0.54], {"personal_status_sex", "age", "foreign_worker"}),
    "lending-club": ("LendingClub", [0.03, 0.09], set()),
}


def main():
    config = tomllib.loads((Path(__file__).parent / "config.toml").read_text())
    if config["training"]["network"] != "dense":
        raise SystemExit(
            "while reading config.toml: only a dense network is written to model.onnx; compare others there"
        )
    prepare.write(only="test")
    rows = prepare.export(config["fields"])
    folds = study.folds(config, rows, config["seeds"])
    shipped, sha256 = folds[0], prepare.digest(rows, folds[0].parts["train"])
    ship(config, rows, shipped, sha256)

    test = shipped.parts["test"]
    _, told = runtime.run(MODEL, rows.cells[test])
    pd = study.together(rows, folds, lambda one: one.pd[study.SHIPPED])
    grade = study.together(rows, folds, lambda one: one.grade)
    parts = [
        card.data(rows, folds, sha256),
        card.models(rows, folds),
        card.grades(rows, folds),
        card.reasons(
            config["reasons"],
            told,
            check_reasons(config, rows, shipped),
            speed(config, rows, shipped),
            MODEL.stat().st_size,
        ),
        card.left_out(left_out(config, rows, folds)),
        card.fairness(groups(prepare.export(PROTECTED).cells), pd, grade, rows.outcome),
        card.gaps(gaps(rows, shipped)),
        card.choices(study.compare(config, rows)),
        card.other_sets(others(config)),
    ]
    card.write(PIPELINE / "MODEL_CARD.md", parts)


def ship(config, rows, fold, sha256):
    """Writes the model file and the golden rows, and checks both."""
    train, test = fold.parts["train"], fold.parts["test"]
    trained = probabilities(fold.network, fold.table.apply(rows.cells[train])) @ fold.expected_pd
    tenths = np.linspace(0.1, 1, 10)
    borders = np.nanquantile(rows.cells[train].astype(np.float64), tenths[:-1], axis=0).T
    known = {"features": rows.fields, "features_sha256": rows.features_sha256, "horizon_ms": HORIZON_MS}
    notes = {
        **known,
        "training_sha256": sha256,
        "data_sha256": hashlib.sha256(prepare.source("UCI_Credit_Card.csv").read_bytes()).hexdigest(),
        "metrics": score.figures(fold.pd[study.SHIPPED], rows.outcome[test]),
        "score_baseline": np.quantile(trained, tenths).tolist(),
        "feature_baseline": dict(zip(rows.fields, borders.tolist())),
        "seed": fold.seed,
        "reason_baseline": dict(zip(rows.fields, fold.table.usual.tolist())),
    }
    export.write(MODEL, fold.table, fold.network, fold.expected_pd, config["reasons"], notes)
    export.check(MODEL, fold.table, fold.network, rows.cells[test])
    export.write_linear(PIPELINE / "linear.json", fold.raw, known)
    texts = json.loads((PIPELINE / "reasons.json").read_text())
    if list(texts) != list(config["reasons"]):
        raise SystemExit("while checking reasons.json: its codes are not those of config.toml, in their order")
    made = golden.applications(rows.fields)
    golden.write(PIPELINE / "golden.jsonl", made, *runtime.run(MODEL, golden.cells(made, rows.fields)))


def check_reasons(config, rows, fold):
    """Holds the graph's reasons against Shapley values sampled on raw rows."""
    chosen = np.random.default_rng(0).choice(fold.parts["test"], explain.APPLICANTS, replace=False)
    value = lambda cells: baselines.log_odds(runtime.run(MODEL, cells)[0].astype(np.float64) @ fold.expected_pd)
    members = export.groups(fold.table, config["reasons"])
    told = runtime.run(MODEL, rows.cells[chosen])[1]
    usual, count = fold.table.usual, len(config["reasons"])
    by = lambda orders: np.array(
        [explain.by_orders(value, cells, usual, members, orders) for cells in rows.cells[chosen]]
    )
    change = value(rows.cells[chosen]) - value(usual[None])
    found = explain.compare(told, by(explain.some_orders(count)))
    found["exact"] = float(np.abs(told - by(explain.all_orders(count))).max())
    found["sum"] = float(np.abs(told.sum(1) - change).max())
    return found | {"permutations": f"{explain.PERMUTATIONS:,}", "applicants": explain.APPLICANTS}


def speed(config, rows, fold):
    """Microseconds for one row with and without reasons, and for a model that does nothing: the call itself."""
    plain, idle = prepare.OUT / "without_reasons.onnx", prepare.OUT / "nothing.onnx"
    export.write(plain, fold.table, fold.network, fold.expected_pd, {}, {})
    export.write_idle(idle, len(rows.fields))
    one = rows.cells[fold.parts["test"][:1]]
    rounds = [[runtime.microseconds(path, one) for path in (MODEL, plain, idle)] for _ in range(20)]
    return dict(zip(("with", "without", "call"), np.min(rounds, axis=0).tolist()))


def left_out(config, rows, folds):
    """The AUC with fields that are not read put in, and with education left out as well."""
    seed = 1
    both = lambda chosen, some: {
        name: study.together(chosen, some, lambda one: one.pd[name]) for name in (study.TREES, study.SHIPPED)
    }
    given = both(rows, folds)
    alone = lambda one: (
        probabilities(one.fitted[seed][0], one.table.apply(rows.cells[one.parts["test"]])) @ one.expected_pd
    )
    given[study.SHIPPED] = study.together(rows, folds, alone)
    results = [("as shipped", len(rows.fields), given, rows.outcome)]
    more = {"sex": [1], "marriage": [1, 2]}
    for name, fields, categories in (
        ("with sex, marriage and age", [*rows.fields, *PROTECTED], config["categories"] | more),
        ("without education", [field for field in rows.fields if field != "education"], {}),
    ):
        changed = prepare.export(fields)
        fitted = study.folds(config | {"categories": categories}, changed, [seed])
        results.append((name, len(fields), both(changed, fitted), rows.outcome))
    return results


def groups(cells):
    """Masks of applicants by what the model does not read."""
    sex, marriage, age = cells.T
    return {
        "men": sex == 1,
        "women": sex == 2,
        "married": marriage == 1,
        "single": marriage == 2,
        "under 30": age < 30,
        "30 to 44": (age >= 30) & (age < 45),
        "45 and over": age >= 45,
    }


def gaps(rows, fold):
    """Figures of the shipped network when fields are missing."""
    test = fold.parts["test"]
    for share in (0.0, 0.1, 0.2, 0.5):
        lost = np.random.default_rng(0).random(rows.cells[test].shape) < share
        said = runtime.run(MODEL, np.where(lost, np.nan, rows.cells[test]))[0] @ fold.expected_pd
        yield f"{share:.0%}", score.figures(said, rows.outcome[test])


def others(config):
    """The same recipe on the other sets, one seed."""
    for name, (title, cuts, unread) in OTHERS.items():
        prepare.write(name)
        rows = prepare.export([field for field in prepare.fields_of(name) if field not in unread], name)
        yield title, rows, study.folds(config | {"cuts": cuts, "categories": {}}, rows, [1])


if __name__ == "__main__":
    main()
