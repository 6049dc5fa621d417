"""How good probabilities of up are, and how sure one can be of it. Numpy alone; knows no model."""

import numpy as np

DRAWS = 1000


def figures(said, labels):
    """Accuracy, MCC, AUC, log loss; whatever is above one half counts as up."""
    return {
        "accuracy": accuracy(said, labels),
        "mcc": mcc(said, labels),
        "auc": auc(said, labels),
        "log_loss": log_loss(said, labels),
    }


def accuracy(said, labels):
    return float(((said > 0.5) == labels).mean())


def mcc(said, labels):
    """Matthews's correlation; zero where all is said to be the same."""
    guess, labels = (said > 0.5).astype(float), labels.astype(float)
    spread = guess.std() * labels.std()
    return float(((guess - guess.mean()) * (labels - labels.mean())).mean() / spread) if spread else 0.0


def auc(said, labels):
    """How often an up has the higher probability than a down; a tie counts half."""
    _, place, count = np.unique(said, return_inverse=True, return_counts=True)
    middle = np.cumsum(count) - (count - 1) / 2
    ups = labels.sum()
    above = middle[place][labels == 1].sum() - ups * (ups + 1) / 2
    return float(above / (ups * (len(labels) - ups)))


def log_loss(said, labels):
    """Mean of -ln p of what happened."""
    return float(-np.log(np.clip(np.where(labels == 1, said, 1 - said), 1e-12, 1)).mean())


def confusion(said, labels):
    """Rows: what happened; columns: what was said."""
    return [[int(((labels == happened) & ((said > 0.5) == guess)).sum()) for guess in (0, 1)] for happened in (0, 1)]


def spread(said, labels, days, figure):
    """The middle 95 % of a figure when whole days are drawn again: the stocks of a day move together."""
    return bounds(days, lambda drawn: figure(said[drawn], labels[drawn]))


def spread_of_difference(said, other, labels, days, figure):
    """The same of how far the first lies above the second, on the same drawn days."""
    return bounds(days, lambda drawn: figure(said[drawn], labels[drawn]) - figure(other[drawn], labels[drawn]))


def bounds(days, value):
    random = np.random.default_rng(0)
    rows = [np.flatnonzero(days == day) for day in np.unique(days)]
    drawn = [
        value(np.concatenate([rows[at] for at in random.integers(len(rows), size=len(rows))])) for _ in range(DRAWS)
    ]
    return [float(bound) for bound in np.percentile(drawn, [2.5, 97.5])]
