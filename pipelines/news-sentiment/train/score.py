"""How good probabilities of three labels are. Numpy alone; knows no model."""

import numpy as np

LABELS = 3


def figures(probability, outcome):
    """Weighted and macro F1, accuracy, log loss and calibration error."""
    said = probability.argmax(1)
    f1 = np.array([f1_of(said == label, outcome == label) for label in range(LABELS)])
    share = np.bincount(outcome, minlength=LABELS) / len(outcome)
    return {
        "weighted_f1": float(f1 @ share),
        "macro_f1": float(f1.mean()),
        "accuracy": float((said == outcome).mean()),
        "log_loss": log_loss(probability, outcome),
        "ece": calibration_error(probability, outcome),
    }


def f1_of(said, true):
    both = (said & true).sum()
    return 2 * both / max(said.sum() + true.sum(), 1)


def log_loss(probability, outcome):
    """Mean of -ln p of what is true."""
    true = probability[np.arange(len(outcome)), outcome]
    return float(-np.log(np.clip(true, 1e-12, 1)).mean())


def calibration_error(probability, outcome, bins=15):
    """How far the highest probability lies from how often it is right, over bins of equal size; equals share one."""
    surest, right = probability.max(1), probability.argmax(1) == outcome
    order = np.argsort(surest, kind="stable")
    begins = np.unique([surest[part[0]] for part in np.array_split(order, bins)])
    bin_of = np.searchsorted(begins, surest[order], side="right")
    parts = [order[bin_of == each] for each in range(1, len(begins) + 1)]
    return float(sum(len(part) * abs(surest[part].mean() - right[part].mean()) for part in parts) / len(outcome))


def softmax(logits, temperature=1.0):
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    raised = np.exp(scaled - scaled.max(1, keepdims=True))
    return raised / raised.sum(1, keepdims=True)


def temperature(logits, outcome):
    """What to divide logits by so that the log loss is least, to one part in a hundred."""
    tried = np.round(np.arange(0.3, 6.0, 0.01), 2)
    return float(min(tried, key=lambda each: log_loss(softmax(logits, each), outcome)))


def spread(probability, outcome, figure="weighted_f1", draws=1000):
    """The middle 95 % of a figure when headlines are drawn again."""
    random = np.random.default_rng(0)
    drawn = []
    for _ in range(draws):
        rows = random.integers(len(outcome), size=len(outcome))
        drawn.append(figures(probability[rows], outcome[rows])[figure])
    return [float(bound) for bound in np.percentile(drawn, [2.5, 97.5])]
