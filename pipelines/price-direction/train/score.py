"""How good probabilities are, in the four figures of the card, and how sure one can be of them.

Knows no model.
"""

import numpy as np
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, matthews_corrcoef

from network import log_loss

# Neighbouring windows share rows and labels, so whole stretches are drawn, not single windows.
BLOCK = 100
DRAWS = 1000


def figures(given, labels):
    """Macro F1, MCC, accuracy, log loss."""
    guess = given.argmax(axis=1)
    return {
        "macro_f1": float(f1_score(labels, guess, average="macro", labels=[0, 1, 2], zero_division=0)),
        "mcc": float(matthews_corrcoef(labels, guess)),
        "accuracy": float(accuracy_score(labels, guess)),
        "log_loss": log_loss(given, labels),
    }


def of_signal(given):
    """A signal's score: P(up) - P(down)."""
    return given[:, -1] - given[:, 0]


def spread(given, labels, figure):
    """The middle 95 % of a figure over redrawn test blocks of 10 s."""
    random = np.random.default_rng(0)
    blocks = np.array_split(np.arange(len(labels)), len(labels) // BLOCK)
    drawn = []
    for _ in range(DRAWS):
        chosen = np.concatenate([blocks[at] for at in random.integers(len(blocks), size=len(blocks))])
        drawn.append(figures(given[chosen], labels[chosen])[figure])
    return [float(bound) for bound in np.percentile(drawn, [2.5, 97.5])]


def confusion(given, labels):
    """Rows: what happened; columns: what was said."""
    return confusion_matrix(labels, given.argmax(axis=1), labels=[0, 1, 2]).tolist()
