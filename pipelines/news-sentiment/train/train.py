"""Makes the model of this pipeline: `make train PIPELINE=news-sentiment`.

Writes the items, has the engine cut them, trains as recipe.toml says, and writes model.onnx, linear.json,
golden.jsonl and the figures in MODEL_CARD.md. With `--ship` it does not train, but goes on with what teach.py wrote: that
may have run on another machine, with a GPU. No choice is made by the validation file.
"""

import argparse
import hashlib
import json

import numpy as np
import torch

import baselines
import card
import export
import golden
import prepare
import score
import teach
import weights
from network import POSITIONS, Encoder
from run import MODEL, Model, rows

# How far eight bits may move a weighted F1.
ROUNDING = 0.005


def main():
    asked = argparse.ArgumentParser(description="Makes model.onnx of news-sentiment.")
    asked.add_argument("--prepare", action="store_true", help="write what teach.py reads, and stop")
    asked.add_argument("--ship", action="store_true", help="do not train: go on with what teach.py wrote")
    asked = asked.parse_args()
    contract = prepare_texts()
    if asked.prepare:
        return
    if not asked.ship:
        for part in teach.PARTS:
            teach.run(part)
    texts, student = (dict(np.load(prepare.OUT / f"{name}.npz")) for name in ("texts", "student"))
    learnt, notes = read_learnt()
    seed = notes["recipe"]["student"]["seeds"][0]
    notes["temperature"] = notes["held_out"][f"nine-tenths: student, seed {seed}"]["temperature"]
    model, full = write(student, notes, contract, texts)
    check(student, notes, model, full, texts)

    items = {split: prepare.read(split) for split in prepare.FILES}
    card.write(
        prepare.PIPELINE / "MODEL_CARD.md",
        outcome={split: np.array([item.outcome for item in part]) for split, part in items.items()},
        shipped=model.each(texts["valid"]),
        counted=count(items, texts, contract),
        learnt=learnt,
        notes=notes,
        cost={length: (full.milliseconds(length), model.milliseconds(length)) for length in (16, 32, 64)},
        sizes=[path.stat().st_size for path in (prepare.OUT / "full.onnx", MODEL)],
    )


def prepare_texts():
    """Writes the items, texts.npz and encoder.npz; gives what the engine says of its features."""
    for split in prepare.FILES:
        prepare.write(split)
    texts, contract = prepare.texts()
    np.savez_compressed(prepare.OUT / "texts.npz", **texts)
    encoder = weights.cut(prepare.vocabulary(), POSITIONS)
    np.savez(prepare.OUT / "encoder.npz", **{name: value.astype(np.float16) for name, value in encoder.items()})
    print({name: value.shape for name, value in texts.items()}, flush=True)
    return contract


def read_learnt():
    """Answers to the validation file by name; losses by epoch, held-out figures and the recipe."""
    learnt, notes = {}, {"curves": {}, "held_out": {}}
    for part in teach.PARTS:
        with np.load(prepare.OUT / f"learnt.{part}.npz") as file:
            learnt |= {f"{part}: {name}": file[name] for name in file.files if name != "notes"}
            said = json.loads(str(file["notes"]))
        for kind in ("curves", "held_out"):
            notes[kind] |= {f"{part}: {name}": each for name, each in said.get(kind, {}).items()}
        notes["recipe"] = said["recipe"]
    return learnt, notes


def write(student, notes, contract, texts):
    """Writes the model with all it says of itself, then the headlines made with it."""
    full = prepare.OUT / "full.onnx"
    export.write(full, export.graph(student, len(teach.RECIPE["student"]["layers"]), notes["temperature"]))
    said = {
        "name": "news-sentiment",
        "version": "1",
        "features": contract["features"],
        "features_sha256": contract["features_sha256"],
        "labels": prepare.LABELS,
        "steps": "1",
        "vocabulary_sha256": hashlib.sha256((prepare.PIPELINE / "vocab.txt").read_bytes()).hexdigest(),
        "temperature": notes["temperature"],
        "seeds": {"teacher": notes["recipe"]["teacher"]["seeds"], "student": notes["recipe"]["student"]["seeds"][:1]},
        "training_sha256": prepare.digest("train"),
    }
    draft = prepare.OUT / "draft.onnx"
    export.quantise(full, draft, said)
    probability = Model(draft).each(texts["valid"])
    said["metrics"] = score.figures(probability, texts["valid_outcome"])
    trained = Model(draft).each(texts["train"])
    # The 10, 20, ... 100 % points of a signal's score. Numbers of pieces have no such points.
    said["score_baseline"] = np.quantile(trained[:, 2] - trained[:, 0], np.arange(1, 11) / 10).tolist()
    export.quantise(full, MODEL, said)
    ids, _ = prepare.pieces("golden", list(golden.HEADLINES.values()))
    golden.write(prepare.PIPELINE / "golden.jsonl", rows(ids), Model(MODEL))
    print(f"{MODEL.name}: {MODEL.stat().st_size} bytes", flush=True)
    return Model(MODEL), Model(full)


def check(student, notes, model, full, texts):
    """Holds the graph against PyTorch, and the eight bits against the graph."""
    network = Encoder(len(student["words.weight"]), len(teach.RECIPE["student"]["layers"]))
    network.load_state_dict({name: torch.from_numpy(value).float() for name, value in student.items()})
    ids = texts["valid"]
    wanted = score.softmax(teach.learn.logits(network.cpu(), ids), notes["temperature"])
    exact, rounded = full.each(ids), model.each(ids)
    difference = float(np.abs(exact - wanted).max())
    print(f"largest difference to PyTorch {difference:.1e}; by eight bits {np.abs(rounded - wanted).max():.3f}")
    if difference > export.TOLERANCE:
        raise SystemExit(f"while checking {MODEL}: ONNX Runtime and PyTorch differ by {difference:g}; do not ship it")
    exact, rounded = (score.figures(said, texts["valid_outcome"])["weighted_f1"] for said in (exact, rounded))
    if exact - rounded > ROUNDING:
        raise SystemExit(f"while checking {MODEL}: eight bits cost {exact - rounded:.4f} of weighted F1")


def count(items, texts, contract):
    """What the models say that count words or pieces, or nothing; writes linear.json."""
    outcome = texts["train_outcome"]
    held = teach.hold_out(outcome)
    headlines = {split: [item.headline for item in part] for split, part in items.items()}
    return {
        "majority": baselines.majority(outcome, len(headlines["valid"])),
        "pieces counted, logistic regression (`linear.json`)": baselines.bag(
            texts["train"], outcome, held, texts["valid"], contract
        ),
        "TF-IDF, logistic regression": baselines.counted(headlines["train"], outcome, held, headlines["valid"]),
    }


if __name__ == "__main__":
    main()
