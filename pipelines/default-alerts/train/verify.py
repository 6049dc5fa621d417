"""Checks model.onnx with ONNX Runtime alone: golden.jsonl, reasons.json and, where the data are, the card's figures.

Exit code 1 where a PD differs by more than 1e-6, a reason by more than 1e-4, or a figure by more than 1e-4.
Needs numpy and onnxruntime; for the figures also pyarrow and the engine's binary, which FORETICK names.
FORETICK_DATA names the data folder.
"""

import json
import sys

import numpy as np

import golden
import prepare
import score
from grades import GRADES, grade
from run import Model

TOLERANCE, REASON_TOLERANCE, FIGURE_TOLERANCE = 1e-6, 1e-4, 1e-4
# Cells that no statement should have, in every mixture.
ODD = np.array([np.nan, np.inf, -np.inf, 0, -0.0, 1e-30, -1e-30, 1e38, -1e38, 1, -1, 1e3], dtype=np.float32)


def main():
    model = Model(prepare.PIPELINE / "model.onnx")
    failures = [
        *check_golden(model),
        *check_metadata(model),
        *check_reasons(model),
        *check_odd(model),
        *check_figures(model),
    ]
    if failures:
        sys.exit("\n".join(f"while verifying model.onnx: {failure}" for failure in failures))


def check_golden(model):
    """Made-up windows say what they said."""
    names, rows, probability, grades, reasons = golden.read(prepare.PIPELINE / "golden.jsonl")
    pd, why = model.each(rows)
    off, off_reason = np.abs(pd - probability).max(), np.abs(why - reasons).max()
    print(f"golden.jsonl: {len(rows)} windows, largest difference {off:.1e} in PD, {off_reason:.1e} in a reason")
    if not off <= TOLERANCE or not off_reason <= REASON_TOLERANCE:
        yield "golden.jsonl says otherwise"
    for name, value, said in zip(names, probability[:, 0], grades):
        if grade(value) != said:
            yield f"{name} has grade {said} in golden.jsonl, and {grade(value)} by the scale"


def check_metadata(model):
    """Every reason has a text and every text a reason; fields and grades in the file are those of the code."""
    if model.read("features") != prepare.ITEMS or model.read("grades") != [list(step) for step in GRADES]:
        yield "its fields or grades are not those of prepare.py and grades.py"
    texts = json.loads((prepare.PIPELINE / "reasons.json").read_text())
    for code in set(texts) ^ set(model.read("reasons")):
        yield f"{code} is in one of reasons.json and the model only"


def check_reasons(model):
    """A reason is what leaving the cell out takes from the log-odds."""
    rows, codes = np.stack(list(golden.windows().values())[: len(golden.FIRMS)]), model.read("reasons")
    log_odds = lambda windows: np.log((pd := model.each(windows)[0][:, 0].astype(np.float64)) / (1 - pd))
    whole, reasons = log_odds(rows), model.each(rows)[1]
    off = 0.0
    for at, code in enumerate(codes):
        item, age = code[:-3].lower(), int(code[-1])
        without = rows.copy()
        for name in [item, "net_sales"] if item == "total_revenue" else [item]:
            without[:, prepare.STEPS - 1 - age, prepare.ITEMS.index(name)] = np.nan
        off = max(off, np.abs(whole - log_odds(without) - reasons[:, at]).max())
    print(f"reasons: {len(codes)} codes, largest difference {off:.1e} to the model without the cell")
    if not off <= REASON_TOLERANCE:
        yield "a reason is not what leaving the cell out changes"


def check_odd(model):
    """Whatever the cells are, PD and reasons are numbers."""
    random = np.random.default_rng(0)
    cells = random.choice(ODD, size=(2000, prepare.STEPS, len(prepare.ITEMS)))
    pd, reasons = model.each(cells)
    print(f"odd cells: {len(cells)} windows, PD {pd.min():.4f} to {pd.max():.4f}")
    if not np.isfinite(pd).all() or not np.isfinite(reasons).all() or pd.min() < 0 or pd.max() > 1:
        yield "some odd cells give no number"


def check_figures(model):
    """The card's figures, from the test windows; skipped where the data are not."""
    if not prepare.folder().is_dir():
        print("test figures: skipped, the data are not here; set FORETICK_DATA to the data folder")
        return
    windows = prepare.load()["test"]
    pd = model.each(windows.rows)[0][:, 0].astype(np.float64)
    now, then = score.figures(pd, windows.outcome), model.read("metrics")
    print("test figures:", {key: round(value, 4) for key, value in now.items()})
    for key, value in now.items():
        if abs(value - then[key]) > FIGURE_TOLERANCE:
            yield f"{key} is {value:.5f} and was {then[key]:.5f} when trained"


if __name__ == "__main__":
    main()
