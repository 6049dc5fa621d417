"""Holds the model in the engine against ONNX Runtime here, on the same exported rows.

Replays the captures through the pipeline, scores the exported rows with the same file, and compares
every signal. Exit code 1 where a probability differs by more than 1e-6 or a signal has no row.

FORETICK names the binary, ORT_DYLIB_PATH the library, FORETICK_DATA the captures.
"""

import json
import sys

import numpy as np

import prepare
import score
from export import run_onnx

TOLERANCE = 1e-6
MODEL = prepare.PIPELINE / "model.onnx"


def main():
    rows = prepare.export()
    # The engine scores every row that has enough rows before it, whatever their quality.
    ends = np.flatnonzero(is_full(rows))
    expected = run_onnx(MODEL, prepare.windows(rows, ends))
    said = signals()
    place = {key: at for at, key in enumerate(zip(rows.instrument[ends].tolist(), rows.ts_event[ends].tolist()))}
    if len(place) != len(ends) or place.keys() != said.keys():
        missing = len(place.keys() ^ said.keys())
        sys.exit(f"while joining {len(ends)} rows with {len(said)} signals: {missing} have no partner")
    given = np.array([said[key] for key in place])
    report(rows, ends, expected, given)


def is_full(rows):
    """Which rows have a whole window of their instrument behind them."""
    begins = np.flatnonzero(np.r_[True, rows.instrument[1:] != rows.instrument[:-1]])
    number = np.arange(len(rows.instrument)) - np.repeat(begins, np.diff(np.r_[begins, len(rows.instrument)]))
    return number + 1 >= rows.contract["steps"]


def signals():
    """Probabilities of a replay by instrument and time."""
    path = prepare.OUT / "signals.jsonl"
    prepare.foretick("replay", prepare.PIPELINE, "--input", *prepare.captures(), "--output", path, "--force", "--json")
    said = {}
    for line in path.read_text().splitlines():
        signal = json.loads(line)
        key = signal["instrument"], signal["ts_event"]
        if key in said:
            sys.exit(f"while reading {path}: two signals of {key}")
        said[key] = list(signal["probabilities"].values())
    return said


def report(rows, ends, expected, given):
    """Prints both sides; ends the run where they differ."""
    difference = float(np.abs(expected - given).max())
    asked = (rows.split[ends] == "test") & (rows.label[ends] >= 0)
    labels = rows.label[ends][asked]
    for side, probabilities in (("Python", expected), ("engine", given)):
        result = {key: round(value, 4) for key, value in score.figures(probabilities[asked], labels).items()}
        print(f"{side}: {result} confusion {score.confusion(probabilities[asked], labels)}")
    print(f"{len(ends)} windows, {asked.sum()} of them labelled test windows; largest difference {difference:.1e}")
    if difference > TOLERANCE:
        sys.exit(f"while comparing: a probability differs by more than {TOLERANCE:g}")


if __name__ == "__main__":
    main()
