"""Checks model.onnx with ONNX Runtime: golden.jsonl, its contract and, where the data are, the card's figures.

Exit code 1 where a probability differs by more than 1e-3 (eight bits: another processor may round another way)
or a figure by more than 0.003. Needs numpy, onnxruntime and pyarrow. FORETICK names the engine's
binary, which cuts the headlines, and FORETICK_DATA the data folder.
"""

import hashlib
import sys

import numpy as np

import golden
import prepare
import score
from run import MODEL, Model

TOLERANCE, FIGURE_TOLERANCE = 1e-3, 3e-3


def main():
    model = Model(MODEL)
    failures = [*check_golden(model), *check_contract(model), *check_odd(model), *check_figures(model)]
    if failures:
        sys.exit("\n".join(f"while verifying model.onnx: {failure}" for failure in failures))


def check_golden(model):
    """Made-up headlines are cut as they were, and say what they said."""
    names, headlines, rows, probabilities, labels = golden.read(prepare.PIPELINE / "golden.jsonl")
    said = np.concatenate([model(row[None]) for row in rows])
    off = np.abs(said - probabilities).max()
    print(f"golden.jsonl: {len(rows)} headlines, largest difference {off:.1e}")
    if not off <= TOLERANCE:
        yield "golden.jsonl says otherwise"
    for name, probability, label in zip(names, probabilities, labels, strict=True):
        if prepare.LABELS[probability.argmax()] != label:
            yield f"{name} is {label} in golden.jsonl, which its probabilities are not"
    ids, contract = prepare.pieces("golden", headlines)
    if not np.array_equal(ids, rows[:, 0]):
        yield "the engine cuts headlines of golden.jsonl otherwise"
    if contract["features"] != model.read("features"):
        yield "its features are not the engine's"


def check_contract(model):
    """Labels and vocabulary in the file are those of the pipeline."""
    if model.read("labels") != prepare.LABELS:
        yield "its labels are not those of prepare.py"
    vocabulary = hashlib.sha256((prepare.PIPELINE / "vocab.txt").read_bytes()).hexdigest()
    if model.metadata["foretick.vocabulary_sha256"] != vocabulary:
        yield "vocab.txt is not the one it was trained with"


def check_odd(model):
    """Whatever the pieces are, and how many, it gives probabilities; those behind the end change nothing."""
    random, pieces = np.random.default_rng(0), len(prepare.vocabulary())
    ids = random.integers(4, pieces, size=(200, prepare.POSITIONS))
    lengths = random.integers(0, prepare.POSITIONS + 1, size=len(ids))
    ids[np.arange(prepare.POSITIONS) >= lengths[:, None]] = 0
    said = model.each(ids)
    print(f"odd rows: {len(ids)}, probabilities {said.min():.4f} to {said.max():.4f}")
    if not np.isfinite(said).all() or np.abs(said.sum(1) - 1).max() > 1e-5:
        yield "some odd rows give no probabilities"


def check_figures(model):
    """The card's figures, from the validation file; skipped where the data are not."""
    if not prepare.data().is_dir():
        print("figures: skipped, the data are not here; set FORETICK_DATA to the data folder")
        return
    items = prepare.read("valid")
    ids, _ = prepare.pieces("valid", [item.headline for item in items])
    now = score.figures(model.each(ids), np.array([item.outcome for item in items]))
    print("validation figures:", {key: round(value, 4) for key, value in now.items()})
    for key, value in model.read("metrics").items():
        if abs(value - now[key]) > FIGURE_TOLERANCE:
            yield f"{key} is {now[key]:.5f} and was {value:.5f} when trained"


if __name__ == "__main__":
    main()
