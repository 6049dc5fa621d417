"""The figures of MODEL_CARD.md, written between two marks, so that none is copied by hand.

The words around them are the author's.
"""

import numpy as np

import prepare
import score

BEGIN = "<!-- figures: written by train/train.py -->"
END = "<!-- end of figures -->"
COLUMNS = {
    "weighted_f1": "weighted F1",
    "macro_f1": "macro F1",
    "accuracy": "accuracy",
    "log_loss": "log loss",
    "ece": "ECE",
}
# Name in the card, and how its name begins among what was learnt: several seeds are averaged.
LEARNT = {
    "dense on the mean of learnt embeddings": "others: dense",
    "CNN from scratch": "others: cnn",
    "LSTM from scratch, both directions": "others: lstm",
    "three pretrained layers, labels alone": "others: three layers, cross_entropy, adam, seed",
    "three pretrained layers, labels alone, R-Drop": "others: three layers, cross_entropy, adam, R-Drop",
    "six layers (a teacher)": "nine-tenths: teacher, seed",
    "the teachers' mean": "nine-tenths: teachers",
    "three layers, taught": "nine-tenths: student",
    "three layers, taught, all labels": "all: student",
}


def write(path, *, outcome, shipped, counted, learnt, notes, cost, sizes):
    """Replaces the figures in the card; `learnt` holds logits by name, `shipped` and `counted` probabilities."""
    valid = outcome["valid"]
    parts = [
        data(outcome),
        models(shipped, counted, learnt, notes, valid),
        doubt(shipped, valid),
        "### By label\n\n" + by_label(shipped, valid),
        "### Where it is sure\n\n" + sure(shipped, valid),
        "### Cost\n\n" + costs(cost, sizes),
        "### Losses and optimisers\n\n" + ways(notes),
        "### Loss by epoch\n\n" + curves(notes),
    ]
    put(path, BEGIN, "\n\n".join(parts), END)


def put(path, begin, text, end):
    """Replaces what stands between two marks."""
    before, rest = path.read_text(encoding="utf-8").split(begin)
    after = rest.split(end)[1]
    path.write_text(before + begin + "\n" + text + "\n" + end + after, encoding="utf-8")


def table(heads, lines, text_columns=1):
    """A Markdown table; numbers stand to the right."""
    marks = ["---" if at < text_columns else "---:" for at in range(len(heads))]
    return "\n".join("| " + " | ".join(map(str, cells)) + " |" for cells in [heads, marks, *lines])


def data(outcome):
    """The splits, and what their files hash to."""
    lines = []
    for split, each in outcome.items():
        counts = np.bincount(each, minlength=score.LABELS)
        shares = [f"{count} ({count / len(each):.1%})" for count in counts]
        lines.append([split, len(each), *shares])
    hashes = [f"- `{prepare.source(split).name}`: `{prepare.digest(split)}`" for split in outcome]
    return "\n".join([table(["part", "headlines", *prepare.LABELS], lines), "", "SHA-256 of the files:", "", *hashes])


def middle(every):
    return {key: float(np.mean([each[key] for each in every])) for key in COLUMNS}


def models(shipped, counted, learnt, notes, valid):
    """Every model on the same headlines."""
    said = {name: [score.figures(probability, valid)] for name, probability in counted.items()}
    for name, begin in LEARNT.items():
        found = [each for each in learnt if each.startswith(begin)]
        heat = lambda each: notes["held_out"].get(each, notes)["temperature"]
        figures = [score.figures(score.softmax(learnt[each], heat(each)), valid) for each in found]
        said[name + (f" ({len(found)} seeds)" if len(found) > 1 else "")] = figures
    said["**the same in eight bits (shipped)**"] = [score.figures(shipped, valid)]
    lines = [[name, *(f"{value:.3f}" for value in middle(every).values())] for name, every in said.items()]
    note = (
        "Each learnt from nine tenths of the training headlines and is cooled by the temperature that fits the rest,\n"
        "but for the first three and the last two, which learnt from all. Seeds are averaged."
    )
    return table(["on the validation file", *COLUMNS.values()], lines) + "\n\n" + note


def doubt(shipped, valid):
    """What chance alone does to the shipped model's figures."""
    bounds = lambda figure: "{:.3f} to {:.3f}".format(*score.spread(shipped, valid, figure))
    return (
        "When headlines are drawn again, the middle 95 % of the shipped model's weighted F1 are\n"
        f"{bounds('weighted_f1')}, of its macro F1 {bounds('macro_f1')}."
    )


def by_label(shipped, valid):
    """Precision and recall, and what it is taken for."""
    said, lines = shipped.argmax(1), []
    for label, name in enumerate(prepare.LABELS):
        right = ((said == label) & (valid == label)).sum()
        precision, recall = right / (said == label).sum(), right / (valid == label).sum()
        f1 = score.f1_of(said == label, valid == label)
        taken = [((valid == label) & (said == other)).sum() for other in range(score.LABELS)]
        lines.append([name, f"{precision:.3f}", f"{recall:.3f}", f"{f1:.3f}", *taken])
    return table(["label", "precision", "recall", "F1", *(f"said {name}" for name in prepare.LABELS)], lines)


def sure(shipped, valid):
    """What is right among the headlines of which it is so sure."""
    surest, right = shipped.max(1), shipped.argmax(1) == valid
    lines = []
    for border in (0.0, 0.6, 0.8, 0.9, 0.95):
        here = surest >= border
        lines.append([f"{border:.0%}", f"{here.mean():.1%}", f"{right[here].mean():.1%}"])
    return table(["highest probability at least", "of headlines", "right"], lines, text_columns=0)


def costs(cost, sizes):
    full, small = (f"{size / 1e6:.1f} MB" for size in sizes)
    lines = []
    for length, ((middle_full, quick_full), (middle_small, quick_small)) in cost.items():
        times = [quick_full, quick_small, middle_full, middle_small]
        lines.append([length, *(f"{time:.2f}" for time in times), f"{quick_full / quick_small:.1f}"])
    note = (
        "ONNX Runtime, one thread, one headline, in milliseconds, on a machine that had other work: the quickest\n"
        f"tenth, and the middle. The file is {small}, in float32 it would be {full}."
    )
    heads = ["pieces", "float32, quickest", "int8, quickest", "float32, middle", "int8, middle", "quickest, ratio"]
    return note + "\n\n" + table(heads, lines, text_columns=0)


def ways(notes):
    """The same three layers on labels alone, by loss and optimiser, on the held-out headlines."""
    lines, head = [], "others: three layers, "
    for name, found in notes["held_out"].items():
        if not name.startswith(head) or "R-Drop" in name:
            continue
        loss, optimiser, _ = name.removeprefix(head).replace("_", " ").split(", ")
        falls = " ".join(f"{value:.3f}" for value in notes["curves"][name])
        lines.append(
            [loss, optimiser, *(f"{found[key]:.3f}" for key in ("weighted_f1", "macro_f1", "log_loss")), falls]
        )
    note = (
        "Three pretrained layers on nine tenths of the labels alone, one seed, rates as in recipe.toml; figures of the\n"
        "held-out tenth, so that the validation file is not used up. Each loss is in a unit of its own."
    )
    heads = ["loss", "optimiser", "weighted F1", "macro F1", "log loss", "training loss by epoch"]
    return note + "\n\n" + table(heads, lines, text_columns=2)


def curves(notes):
    """Training losses of what ships."""
    lines = [
        [name.removeprefix("all: "), " ".join(f"{loss:.3f}" for loss in curve)]
        for name, curve in notes["curves"].items()
        if name.startswith("all: ")
    ]
    return table(["learning from all training headlines", "mean loss of each epoch"], lines, text_columns=2)
