"""Raw fields to network inputs: quantiles to normal scores, codes to switches, gaps to flags.

Fitted on training rows only. `export.py` writes the same arithmetic into the model file, so nobody
else has to do it.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

KNOTS = 24
# Normal scores reach this far and no farther, however extreme the field.
CLIP = 3.0


@dataclass
class Transform:
    """The fitted tables. Inputs: a score for each amount, then a switch for each code, then a flag for each field."""

    fields: list
    amounts: list  # positions of the fields that are amounts
    tables: list  # (x, y) for each amount: a line through these points, level beyond them
    medians: np.ndarray  # of the amounts
    codes: list  # (position, code) for each switch
    usual: np.ndarray  # a row of medians and most frequent codes: what reasons are told against

    def apply(self, cells):
        """Inputs [N, amounts + codes + fields] of raw rows [N, fields]."""
        cells = np.asarray(cells, dtype=np.float64)
        filled = np.where(np.isnan(cells[:, self.amounts]), self.medians, cells[:, self.amounts])
        scores = [np.interp(filled[:, at], *table) for at, table in enumerate(self.tables)]
        switches = [cells[:, at] == code for at, code in self.codes]
        return np.stack([*scores, *switches, *np.isnan(cells).T], axis=1).astype(np.float32)

    def owners(self):
        """Which field each input belongs to."""
        return np.array([*self.amounts, *(at for at, _ in self.codes), *range(len(self.fields))])

    def blank(self):
        """The inputs of a row without any field."""
        return self.apply(np.full((1, len(self.fields)), np.nan))[0]


def fit(fields, cells, categories):
    """Tables of training rows; `categories` names the fields that are codes and the codes to know."""
    amounts = [at for at, name in enumerate(fields) if name not in categories]
    usual = np.nanmedian(cells, axis=0)
    for name in categories:
        column = cells[:, fields.index(name)]
        values, counts = np.unique(column[~np.isnan(column)], return_counts=True)
        usual[fields.index(name)] = values[counts.argmax()]
    return Transform(
        fields=fields,
        amounts=amounts,
        tables=[table(cells[:, at]) for at in amounts],
        medians=usual[amounts],
        codes=[(fields.index(name), code) for name, known in categories.items() for code in known],
        usual=usual.astype(np.float32),
    )


def table(column):
    """Points (value, normal score of its middle rank), at most KNOTS of them, evenly spread in score."""
    values, counts = np.unique(column[~np.isnan(column)].astype(np.float64), return_counts=True)
    score = np.clip(norm.ppf((np.cumsum(counts) - counts / 2) / counts.sum()), -CLIP, CLIP)
    if len(values) > KNOTS:
        even = np.linspace(score[0], score[-1], KNOTS)
        chosen = np.unique(np.interp(even, score, np.arange(len(score))).round().astype(int))
        values, score = values[chosen], score[chosen]
    return values, score
