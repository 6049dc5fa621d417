"""The figures of MODEL_CARD.md, written between two marks, so that none is copied by hand.

The words around them are the author's.
"""

import numpy as np

import score
import study

BEGIN = "<!-- figures: written by train/train.py -->"
END = "<!-- end of figures -->"
HEADS = {"auc": "AUC", "ks": "KS", "brier": "Brier", "log_loss": "log loss", "ece": "ECE"}
GRADES = ["low", "medium", "high"]


def write(path, parts):
    """Replaces the figures in the card."""
    before, rest = path.read_text().split(BEGIN)
    after = rest.split(END)[1]
    path.write_text(before + BEGIN + "\n" + "\n\n".join(parts) + "\n" + END + after)


def table(heads, lines, text_columns=1):
    """A Markdown table; numbers stand to the right."""
    marks = ["---" if at < text_columns else "---:" for at in range(len(heads))]
    return "\n".join("| " + " | ".join(map(str, cells)) + " |" for cells in [heads, marks, *lines])


def quality(figures):
    """One model's figures, a cell each."""
    return [f"{figures[key]:.4f}" if key in ("brier", "ece") else f"{figures[key]:.3f}" for key in HEADS]


def data(rows, folds, sha256):
    """The parts of the data."""
    lines = []
    for part, at in folds[0].parts.items():
        outcome = rows.outcome[at]
        lines.append([part, len(at), outcome.sum(), f"{outcome.mean():.1%}"])
    heads = ["part of the shipped model", "applicants", "defaults", "default rate"]
    return table(heads, lines) + f"\n\nSHA-256 of the training rows: `{sha256}`."


def models(rows, folds):
    """Every model on the same five held-out folds, and the shipped network on its own."""
    lines = []
    for name in folds[0].pd:
        pd = study.together(rows, folds, lambda one: one.pd[name])
        by_fold = [score.figures(one.pd[name], rows.outcome[one.parts["test"]])["auc"] for one in folds]
        interval = "" if name == study.MAJORITY else "{:.3f} to {:.3f}".format(*score.spread(pd, rows.outcome))
        lines.append([name, *quality(score.figures(pd, rows.outcome)), interval, f"{np.std(by_fold, ddof=1):.3f}"])
    at = folds[0].parts["test"]
    for name, label in (
        (study.RAW, "logistic regression, raw fields, fold 0 alone (`linear.json`)"),
        (study.TREES, "LightGBM, fold 0 alone"),
        (study.SHIPPED, "**shipped: dense 64-32-3, fold 0 alone**"),
    ):
        pd, outcome = folds[0].pd[name], rows.outcome[at]
        lines.append(
            [label, *quality(score.figures(pd, outcome)), "{:.3f} to {:.3f}".format(*score.spread(pd, outcome)), ""]
        )
    heads = ["on held-out folds", *HEADS.values(), "AUC, middle 95 %", "AUC, sd of folds"]
    return table(heads, lines)


def grades(rows, folds):
    """How often each grade was given, and how often its holders defaulted."""
    lines = []
    for name, chosen in (("five folds", folds), ("fold 0, shipped", folds[:1])):
        outcome = np.concatenate([rows.outcome[one.parts["test"]] for one in chosen])
        grade = np.concatenate([one.grade for one in chosen])
        teacher = np.concatenate([one.teacher for one in chosen])
        for who, said in (("network", grade), ("teacher", teacher)):
            rates = score.default_rates(said, outcome)
            shares = [f"{np.mean(said == at):.1%}" for at in range(3)]
            steps = f"{rates[1] / rates[0]:.2f} / {rates[2] / rates[1]:.2f}"
            lines.append([f"{name}, {who}", *(f"{rate:.1%}" for rate in rates), steps, *shares])
        equal, kappa = score.agreement(grade, teacher)
        lines[-2] += [f"{equal:.3f}", f"{kappa:.3f}"]
        lines[-1] += ["", ""]
    heads = ["observed default rate", *GRADES, "each grade over the one below", *(f"share {name}" for name in GRADES)]
    return table([*heads, "grades equal to the teacher's", "kappa, quadratic"], lines)


def left_out(results):
    """What fields cost that are not read; each result is (name, fields, pd by model, outcome)."""
    lines = []
    for name, count, given, outcome in results:
        auc = [score.figures(given[model], outcome) for model in (study.TREES, study.SHIPPED)]
        lines.append([name, count, *(f"{one['auc']:.4f}" for one in auc), *(f"{one['ks']:.3f}" for one in auc)])
    heads = ["inputs, five folds, seed 1", "fields", "LightGBM AUC", "dense AUC", "LightGBM KS", "dense KS"]
    return table(heads, lines)


def choices(results):
    """Optimisers, losses and networks."""
    lines = []
    for training, loss, figures, (equal, _) in results:
        cells = [training["name"], training["learning_rate"], training["epochs"], f"{loss:.3f}"]
        lines.append([*cells, f"{figures['auc']:.3f}", f"{figures['ks']:.3f}", f"{figures['ece']:.4f}", f"{equal:.3f}"])
    heads = ["choice", "learning rate", "epochs", "cross-entropy to the bands", "AUC", "KS", "ECE", "grades equal"]
    return table(heads, lines)


def reasons(codes, told, checked, speed, size):
    """What the reasons say, how right and how dear they are."""
    mean, most = np.abs(told).mean(0), np.bincount(told.argmax(1), minlength=len(codes)) / len(told)
    lines = [[f"`{code}`", f"{mean[at]:.3f}", f"{most[at]:.1%}"] for at, code in enumerate(codes)]
    head = table(["reason, on fold 0", "mean size, log-odds", "strongest raiser"], lines)
    quick = {name: f"{took:.1f} µs" for name, took in speed.items()}
    net, ratio = f"{speed['with'] - speed['call']:.1f} µs", speed["with"] / speed["without"]
    near = {name: f"{checked[name]:.0e}" for name in ("exact", "sum")}
    rank, top3, drawn = f"{checked['rank']:.3f}", f"{checked['top3']:.1%}", f"{checked['difference']:.3f}"
    return (
        f"{head}\n\n"
        f"Against {checked['permutations']} random orders of the groups for {checked['applicants']} test applicants,\n"
        f"played on raw rows through the first output alone: rank correlation {rank}, {top3} of the three strongest\n"
        f"reasons in common, largest difference {drawn} log-odds, which is the sampling's own error: over all orders\n"
        f"it is {near['exact']}. The reasons of a row sum to its log-odds less those of the usual row within\n"
        f"{near['sum']}.\n\n"
        f"One row takes {quick['with']} with reasons and {quick['without']} in the same graph without them, a ratio of\n"
        f"{ratio:.1f}; {quick['call']} of each are the call from Python, so a grade with its reasons takes\n"
        f"{net} in ONNX Runtime (one thread, one row; the quickest tenth of 5,000 runs, the best of 20\n"
        f"rounds, on a shared core).\n"
        f"`model.onnx` has {size / 1000:.0f} kB."
    )


def gaps(results):
    """How the shipped network fares when fields go missing."""
    lines = [[name, *quality(figures)] for name, figures in results]
    return table(["fold 0, fields taken away at random", *HEADS.values()], lines)


def fairness(groups, pd, grade, outcome):
    """Figures by what the model does not read; `groups` are masks by name."""
    lines = []
    for name, mask in groups.items():
        low = mask & (grade == 0)
        cells = [mask.sum(), f"{outcome[mask].mean():.1%}", f"{pd[mask].mean():.1%}"]
        cells += [f"{np.mean(grade[mask] == at):.1%}" for at in (0, 2)]
        cells += [f"{outcome[low].mean():.1%}", f"{np.mean(grade[mask & (outcome == 0)] == 2):.1%}"]
        lines.append([name, *cells, f"{score.figures(pd[mask], outcome[mask])['auc']:.3f}"])
    heads = ["five folds", "applicants", "default rate", "mean PD", "graded low", "graded high"]
    return table([*heads, "default rate of low", "payers graded high", "AUC"], lines)


def other_sets(results):
    """The same recipe on other loans; each result is (name, rows, folds)."""
    lines = []
    for name, rows, folds in results:
        for model in (study.RAW, study.NORMAL, study.TREES, study.SHIPPED):
            pd = study.together(rows, folds, lambda one: one.pd[model])
            grade = study.together(rows, folds, lambda one: one.grade)
            rates = score.default_rates(grade, rows.outcome)
            told = " / ".join(f"{rate:.1%}" for rate in rates) if model == study.SHIPPED else ""
            figures = score.figures(pd, rows.outcome)
            lines.append([name, model, *quality(figures), told])
    heads = ["set, five folds", "model", *HEADS.values(), "default rate of low / medium / high"]
    return table(heads, lines, text_columns=2)
