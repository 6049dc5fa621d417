"""Checks model.onnx: golden.jsonl, then the card's figures, then the engine's signals against ONNX Runtime here.

Exit code 1 where a probability differs by more than 1e-6 or a figure by more than 1e-4, or a signal has
no row. Needs numpy, onnxruntime and pyarrow.

FORETICK names the binary, ORT_DYLIB_PATH the library, FORETICK_DATA the data; without data, golden.jsonl alone.
"""

import json
import os
import sys
from pathlib import Path

import numpy as np

import golden
import prepare
import score
from run import Model

TOLERANCE, FIGURE_TOLERANCE = 1e-6, 1e-4


def main():
    model = Model(str(prepare.PIPELINE / "model.onnx"))
    check_golden(model)
    if not Path(os.environ.get("FORETICK_DATA", prepare.ROOT / "../shared/data")).is_dir():
        print("figures and signals: skipped, the data are not here; set FORETICK_DATA to the data folder")
        return
    rows = prepare.export()
    check_figures(model, rows)
    check_signals(model, rows)


def check_golden(model):
    """Made-up windows say what they said."""
    names, rows, then = golden.read(prepare.PIPELINE / "golden.jsonl")
    difference = np.abs(model.up(np.float32(rows)) - then).max()
    print(f"golden.jsonl: {len(names)} windows, largest difference {difference:.1e}")
    if not difference <= TOLERANCE:
        sys.exit("while verifying model.onnx: golden.jsonl says otherwise")


def check_figures(model, rows):
    """The card's figures of the shipped model."""
    steps = model.read("steps")
    at = prepare.ends(rows, "test", steps)
    now = score.figures(model.up(prepare.windows(rows, at, steps)), rows.label[at])
    then = model.read("metrics")
    print("test figures:", {key: round(value, 4) for key, value in now.items()})
    for key, value in now.items():
        if not abs(value - then[key]) <= FIGURE_TOLERANCE:
            sys.exit(f"while verifying model.onnx: {key} is {value:.5f} and was {then[key]:.5f} when trained")


def check_signals(model, rows):
    """Every labelled window's signal is what ONNX Runtime says of its rows."""
    path, steps = prepare.OUT / "signals.jsonl", model.read("steps")
    prepare.foretick("replay", prepare.PIPELINE, "--input", *prepare.events(), "--output", path, "--force", "--json")
    said = {}
    for line in path.read_text().splitlines():
        signal = json.loads(line)
        said[signal["instrument"], signal["ts_event"]] = signal["probabilities"]["up"]
    at = np.flatnonzero(prepare.whole(rows, steps) & (rows.label >= 0))
    keys = list(zip(rows.instrument[at].tolist(), rows.ts_event[at].tolist()))
    missing = sum(key not in said for key in keys)
    if missing:
        sys.exit(f"while joining {len(keys)} rows with {len(said)} signals: {missing} rows have none")
    expected = model.up(prepare.windows(rows, at, steps))
    difference = np.abs(expected - [said[key] for key in keys]).max()
    print(f"signals: {len(keys)} labelled windows, largest difference {difference:.1e}")
    if not difference <= TOLERANCE:
        sys.exit(f"while comparing: a probability differs by more than {TOLERANCE:g}")


if __name__ == "__main__":
    main()
