"""The figures of MODEL_CARD.md, written between two marks, so that none is copied by hand.

The words around them are the author's.
"""

import numpy as np

import prepare
import score
from export import PD_FLOOR, REASONS
from grades import GRADES, grade

BEGIN = "<!-- figures: written by train/train.py -->"
END = "<!-- end of figures -->"
COLUMNS = {"auc": "AUC", "ks": "KS", "brier": "Brier", "log_loss": "log loss", "recall_top_decile": "recall, top tenth"}
ALARMS = [0.02, 0.05, 0.10, 0.20, 0.30]
ABBREVIATIONS = {"ebit": "EBIT", "ebitda": "EBITDA"}


def write(path, *, windows, shipped, others, calibration, compared, compare, cost):
    """Replaces the figures in the card; `shipped` is PD and reasons of the test windows, `others` PDs by model."""
    before, rest = path.read_text().split(BEGIN)
    after = rest.split(END)[1]
    outcome = windows["test"].outcome
    pd, reasons = shipped[0][:, 0].astype(np.float64), shipped[1]
    parts = [
        data(windows),
        prior(windows, calibration),
        scores(pd, others, outcome),
        doubt(pd, others, outcome),
        "### Grades on the test windows\n\n" + by_grade(pd, outcome),
        "### Alarms at a PD\n\n" + alarms(pd, outcome),
        "### What raises the risk of the firms that failed\n\n" + causes(reasons, outcome),
        "### Cost\n\n" + costs(cost),
        "### Networks, losses, optimisers\n\n" + comparison(compared, compare),
    ]
    path.write_text(before + BEGIN + "\n" + "\n\n".join(parts) + "\n" + END + after)


def table(heads, lines, text_columns=1):
    """A Markdown table; numbers stand to the right."""
    marks = ["---" if at < text_columns else "---:" for at in range(len(heads))]
    return "\n".join("| " + " | ".join(map(str, cells)) + " |" for cells in [heads, marks, *lines])


def spoken(code):
    """NET_INCOME as words."""
    words = code.lower()
    return ABBREVIATIONS.get(words, words.replace("_", " ").capitalize())


def data(windows):
    """The splits, and what their files hash to."""
    lines = []
    for name, part in windows.items():
        years = f"{part.years.min()} to {part.years.max()}"
        lines.append([name, years, len(part.outcome), part.outcome.sum(), f"{part.outcome.mean():.1%}"])
    hashes = [f"- `{prepare.source(name).name}`: `{prepare.digest(name)}`" for name in windows]
    heads = ["part", "newest fiscal year", "firms", "failed", "share"]
    return "\n".join([table(heads, lines, text_columns=2), "", "SHA-256 of the files:", "", *hashes])


def prior(windows, calibration):
    rate = windows["train"].outcome.mean()
    return (
        f"Prior: {rate:.2%} of the training windows failed, {rate / prepare.STEPS:.2%} of their firm-years; log-odds\n"
        f"are shifted by {calibration.prior_shift:.3f}. Calibration on the validation windows: slope "
        f"{calibration.slope:.3f}, intercept {calibration.intercept:.3f}."
    )


def scores(pd, others, outcome):
    """Every model on the same test windows."""
    lines = []
    for name, said in {**others, "**all networks and seeds in one graph (shipped)**": pd}.items():
        result = score.figures(said, outcome)
        low, high = score.spread(said, outcome)
        cells = [f"{result[key]:.3f}" if key != "brier" else f"{result[key]:.4f}" for key in COLUMNS]
        if np.ptp(said) == 0:
            cells[-1], low, high = "–", 0.5, 0.5
        lines.append([name, cells[0], f"{low:.3f} to {high:.3f}", *cells[1:]])
    heads = list(COLUMNS.values())
    return table(["on the test windows", heads[0], "95 % of it", *heads[1:]], lines)


def doubt(pd, others, outcome):
    """What chance alone does to the shipped model's figures."""
    brier = lambda said, happened: float(np.mean((said - happened) ** 2))
    top = lambda said, happened: score.recall(said, happened, 0.1)
    bounds = lambda figure: "{:.3f} to {:.3f}".format(*score.spread(pd, outcome, figure))
    text = (
        f"When firms are drawn again, the middle 95 % of the shipped model's Brier score are {bounds(brier)}, of its\n"
        f"recall in the top tenth {bounds(top)}; mean PD {pd.mean():.3f}, failed {outcome.mean():.3f}.\n"
    )
    parts = []
    for short, name in (
        ("LightGBM", "LightGBM"),
        ("the published network", "published"),
        ("logistic regression", "logistic"),
    ):
        other = next(said for model, said in others.items() if model.startswith(name))
        parts.append("{} {:+.3f} to {:+.3f}".format(short, *score.spread_of_difference(pd, other, outcome)))
    return text + "Its AUC less that of another, on the same drawn firms:\n" + ", ".join(parts) + "."


def by_grade(pd, outcome):
    """The master scale with what it held."""
    given = np.array([grade(value) for value in pd])
    lines, below = [], PD_FLOOR
    for name, highest in GRADES:
        here = given == name
        count = here.sum()
        means = [f"{pd[here].mean():.2%}", f"{outcome[here].mean():.2%}"] if count else ["–", "–"]
        lines.append([name, f"{below:.2%} to {highest:.1%}", count, outcome[here].sum(), *means])
        below = highest
    return table(["grade", "PD", "firms", "failed", "mean PD", "share failed"], lines, text_columns=2)


def alarms(pd, outcome):
    """Who would be flagged, and what of it is right."""
    lines = []
    for border in ALARMS:
        flagged = pd >= border
        right = outcome[flagged].sum()
        lines.append(
            [
                f"{border:.0%}",
                f"{flagged.mean():.1%}",
                f"{right / outcome.sum():.0%}",
                f"{right / max(1, flagged.sum()):.0%}",
            ]
        )
    return table(
        ["PD at least", "of firms flagged", "of failures among them", "of flagged failed"], lines, text_columns=0
    )


def causes(reasons, outcome):
    """The codes that most often are a failed firm's highest, and their mean there and among the others."""
    top = np.bincount(reasons[outcome == 1].argmax(axis=1), minlength=len(REASONS))
    lines = []
    for at in np.argsort(-top, kind="stable")[:8]:
        means = (f"{reasons[outcome == kind, at].mean():+.2f}" for kind in (1, 0))
        lines.append([f"`{REASONS[at]}`", top[at], *means])
    return table(["code", "highest of failed firms", "mean, failed", "mean, others"], lines)


def costs(cost):
    full, bare = cost
    return (
        f"ONNX Runtime, one thread, one window: {full:.0f} µs with reasons, {bare:.0f} µs without,\n"
        f"{full / bare:.1f} times as much (medians, on a machine that had other work)."
    )


def comparison(lines, compare):
    cells = [[*line[:4], f"{line[4]:.3f}", f"{line[5]:.3f}"] for line in lines]
    heads = ["network", "loss", "optimiser", "best epoch", "validation AUC", "validation log loss"]
    most = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in compare["epochs"].items())
    note = (
        f"Epochs at most: {most}. One seed, the outcome alone as\n"
        "target, no tuning: a coarse picture. By validation alone, so that the test is not used up."
    )
    return note + "\n\n" + table(heads, cells, text_columns=3)
