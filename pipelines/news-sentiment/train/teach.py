"""What is learnt: teachers of six layers, and of them students of three. Needs torch and numpy alone.

    python teach.py [--part nine-tenths|all|others]

reads texts.npz and encoder.npz in out/news-sentiment and writes learnt.PART.npz there, and of the part `all`
student.npz, the weights that ship: so it can run where the rest cannot, the parts side by side. `nine-tenths` and
`others` leave out a tenth of the training headlines, by which choices are made and the temperature is set. The
validation file is answered, and its labels are not read.
"""

import argparse
import json
import tomllib
from pathlib import Path

import numpy as np
import torch

import learn
import score
from network import Convolution, Dense, Encoder, Recurrent

ROOT = Path(__file__).resolve().parents[3]
OUT = ROOT / "out" / Path(__file__).resolve().parents[1].name
RECIPE = tomllib.loads((Path(__file__).parent / "recipe.toml").read_text())
PARTS = ["nine-tenths", "all", "others"]
SCRATCH = {"dense": Dense, "cnn": Convolution, "lstm": Recurrent}


class Lesson:
    """Texts, the pretrained encoder, and which training headlines may be learnt from."""

    def __init__(self, texts, encoder, kept):
        self.texts, self.encoder, self.kept = texts, encoder, kept
        self.ids, self.outcome = texts["train"][kept], texts["train_outcome"][kept]
        self.labels = learn.one_hot(self.outcome)

    def begin(self, layers, seed, weights=None):
        """An encoder of some of the pretrained layers; the seed makes its head."""
        torch.manual_seed(seed)
        network = Encoder(len(self.encoder["words.weight"]), len(layers))
        return network.begin(self.encoder if weights is None else weights, layers)

    def answers(self, network, of=("train", "valid")):
        return {name: learn.logits(network, self.texts[name]) for name in of}


def hold_out(outcome):
    """Which training headlines are held out: a tenth of each label."""
    random, held = np.random.default_rng(RECIPE["held_out"]["seed"]), np.zeros(len(outcome), dtype=bool)
    for label in range(outcome.max() + 1):
        rows = random.permutation(np.flatnonzero(outcome == label))
        held[rows[: round(len(rows) * RECIPE["held_out"]["share"])]] = True
    return held


def teach(lesson):
    """The teachers' answers, one by one, and their weights."""
    recipe, every = RECIPE["teacher"], []
    for seed in recipe["seeds"]:
        network = lesson.begin(recipe["layers"], seed)
        curve = learn.fit(network, lesson.ids, lesson.labels, recipe, seed)
        said = lesson.answers(network, ("train", "valid", "tweets"))
        every.append((said, curve, weights_of(network)))
        print(f"teacher, seed {seed}: loss by epoch", *(f"{loss:.3f}" for loss in curve), flush=True)
    return every


def weights_of(network):
    return {name: value.detach().float().cpu().numpy() for name, value in network.state_dict().items()}


def average(every):
    """The teachers' mean answers."""
    return {name: np.mean([said[name] for said, *_ in every], axis=0) for name in every[0][0]}


def study(lesson, teachers, seed):
    """One student of what the teachers say of tweets and headlines, and its loss by epoch."""
    recipe, said = RECIPE["student"], average(teachers)
    begin = teachers[0][2] if recipe["begin"] == "teacher" else None
    network = lesson.begin(recipe["layers"], seed, begin)
    told = {name: score.softmax(said[name], recipe["temperature"]) for name in ("train", "tweets")}
    labelled = recipe["teacher_share"] * told["train"][lesson.kept] + (1 - recipe["teacher_share"]) * lesson.labels
    ids = np.concatenate([lesson.texts["tweets"], *[lesson.ids] * recipe["copies"]])
    target = np.concatenate([told["tweets"], *[labelled] * recipe["copies"]])
    curve = learn.fit(network, ids, target, recipe, seed)
    print(f"student, seed {seed}: loss by epoch", *(f"{loss:.3f}" for loss in curve), flush=True)
    return network, curve


def others(lesson):
    """Networks that learn from the labels alone: from nothing, and three pretrained layers by several optimisers."""
    short = RECIPE["compare"]
    for kind, seed in ((kind, seed) for kind in SCRATCH for seed in short["seeds"]):
        torch.manual_seed(seed)
        network = SCRATCH[kind](len(lesson.encoder["words.weight"]))
        yield f"{kind}, seed {seed}", network, learn.fit(network, lesson.ids, lesson.labels, short["scratch"], seed)
    for way in short["way"]:
        for seed in way.get("seeds", short["seeds"][:1]):
            network = lesson.begin(RECIPE["student"]["layers"], seed)
            curve = learn.fit(network, lesson.ids, lesson.labels, short["encoder"] | way, seed)
            twice = ", R-Drop" if way.get("twice") else ""
            yield f"three layers, {way['loss']}, {way['optimiser']}{twice}, seed {seed}", network, curve


def lead(lesson, seeds):
    """Teachers and students: answers and losses by name, and the weights of the first student."""
    teachers = teach(lesson)
    answers, curves = {"teachers": average(teachers)}, {}
    for seed, (said, curve, _) in zip(RECIPE["teacher"]["seeds"], teachers, strict=True):
        answers[f"teacher, seed {seed}"], curves[f"teacher, seed {seed}"] = said, curve
    networks = []
    for seed in seeds:
        network, curves[f"student, seed {seed}"] = study(lesson, teachers, seed)
        answers[f"student, seed {seed}"] = lesson.answers(network)
        networks.append(network)
    return answers, curves, weights_of(networks[0])


def compare(lesson):
    """Answers and losses of the others."""
    answers, curves = {}, {}
    for name, network, curve in others(lesson):
        answers[name], curves[name] = lesson.answers(network), curve
        print(f"{name}: loss by epoch", *(f"{loss:.3f}" for loss in curve), flush=True)
    return answers, curves


def run(part):
    """Learns one part and writes what became of it."""
    texts, encoder = (dict(np.load(OUT / f"{name}.npz")) for name in ("texts", "encoder"))
    held, seeds = hold_out(texts["train_outcome"]), RECIPE["student"]["seeds"]
    # The engine passes over a handful of headlines: they have no pieces.
    cut = texts["train"].any(1)
    lesson = Lesson(texts, encoder, cut if part == "all" else cut & ~held)
    print(f"{part}: {len(lesson.ids)} training headlines, on {learn.device()}", flush=True)
    if part == "others":
        answers, curves = compare(lesson)
    else:
        answers, curves, shipped = lead(lesson, seeds[:1] if part == "all" else seeds)
    notes = {"curves": curves, "recipe": RECIPE}
    if part == "all":
        np.savez(OUT / "student.npz", **{name: value.astype(np.float16) for name, value in shipped.items()})
    else:
        held, outcome = held & cut, texts["train_outcome"]
        notes["held_out"] = {name: judge(said["train"][held], outcome[held]) for name, said in answers.items()}
        print(*(f"{name}, held out: {found}" for name, found in notes["held_out"].items()), sep="\n", flush=True)
    valid = {name: said["valid"] for name, said in answers.items()}
    np.savez_compressed(OUT / f"learnt.{part}.npz", notes=json.dumps(notes), **valid)


def judge(logits, outcome):
    """Figures at the temperature that fits these headlines, and that temperature."""
    temperature = score.temperature(logits, outcome)
    return score.figures(score.softmax(logits, temperature), outcome) | {"temperature": temperature}


def main():
    arguments = argparse.ArgumentParser(description="Trains the networks of news-sentiment.")
    arguments.add_argument("--part", choices=PARTS, help="this part alone")
    asked = arguments.parse_args().part
    for part in [asked] if asked else PARTS:
        run(part)


if __name__ == "__main__":
    main()
