"""Reasons: exact Shapley values of groups of fields, on the log-odds of the expected PD.

With k groups there are 2^k coalitions; a group that is out of one has its usual values. Gives the
constants for the graph, and an independent check by orders of the groups on raw rows.
"""

from itertools import permutations
from math import factorial

import numpy as np
from scipy.stats import spearmanr

PERMUTATIONS = 1000
APPLICANTS = 100


def coalitions(groups):
    """Who is in: [2^k, k] of 0 and 1; the last row has all in."""
    return ((np.arange(2**groups)[:, None] >> np.arange(groups)) & 1).astype(np.float32)


def weights(groups):
    """Shapley values are (value of each coalition) · weights [2^k, k]."""
    inside = coalitions(groups)
    size = inside.sum(1).astype(int)
    share = lambda before: factorial(before) * factorial(groups - before - 1) / factorial(groups)
    joins = np.array([share(count - 1) if count else 0 for count in size])
    leaves = np.array([share(count) if count < groups else 0 for count in size])
    return np.where(inside == 1, joins[:, None], -leaves[:, None]).astype(np.float32)


def by_orders(value, cells, usual, members, orders):
    """Shapley values of one raw row from orders of the groups; `value` scores raw rows.

    `members` says for each field which group it is in.
    """
    groups = members.max() + 1
    inside = coalitions(groups)[:, members] == 1
    known = value(np.where(inside, cells, usual))
    total = np.zeros(groups)
    for order in orders:
        reached = np.concatenate([[0], np.cumsum(1 << order)])
        total[order] += np.diff(known[reached])
    return total / len(orders)


def some_orders(groups):
    """Random orders."""
    random = np.random.default_rng(0)
    return [random.permutation(groups) for _ in range(PERMUTATIONS)]


def all_orders(groups):
    """Every order there is."""
    return [np.array(order) for order in permutations(range(groups))]


def compare(given, drawn):
    """Mean rank correlation, mean share of the three strongest reasons in common, largest difference."""
    ranks = [spearmanr(one, other).statistic for one, other in zip(given, drawn)]
    top = lambda values: set(np.argsort(-values)[:3].tolist())
    common = [len(top(one) & top(other)) / 3 for one, other in zip(given, drawn)]
    difference = float(np.abs(given - drawn).max())
    return {"rank": float(np.mean(ranks)), "top3": float(np.mean(common)), "difference": difference}
