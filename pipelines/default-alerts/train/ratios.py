"""From the 18 items of a statement to the network's inputs, as tables that go into the graph.

Every ratio is one line of a table: a weighted sum of items over another, at least a floor. So the
graph needs two matrix products and a division, and this file the same ones in numpy.
Fitted on training windows alone: medians for what is missing, mean and standard deviation.
"""

from dataclasses import dataclass

import numpy as np

from prepare import ITEMS, STEPS

# Net sales repeat total revenue in these data; they are read where revenue is missing, and nowhere else.
CORE = [name for name in ITEMS if name != "net_sales"]
AT = {name: at for at, name in enumerate(CORE)}
ASSETS, LIABILITIES = AT["total_assets"], AT["total_liabilities"]

# No statement holds more than this many million USD: such a cell counts as missing. Neither is any of
# these zero or less, which is as bad. No divisor is less than a thousand USD.
LIMIT, FLOOR = 1e7, 1e-3
POSITIVE = ["total_assets", "total_liabilities", "total_current_liabilities", "market_value"]
# Standard deviations at which an input is cut off.
CLIP = 5.0
# The year before each; the oldest has none and changed nothing.
BEFORE = [0, *range(STEPS - 1)]

# Name: (above, below). Items with weights; nothing below means 1: a size.
A, CL, TL, S = "total_assets", "total_current_liabilities", "total_liabilities", "total_revenue"
WORKING_CAPITAL = {"current_assets": 1, CL: -1}
RATIOS = {
    "current_assets_to_assets": ({"current_assets": 1}, A),
    "cost_of_goods_to_assets": ({"cost_of_goods_sold": 1}, A),
    "long_term_debt_to_assets": ({"total_long_term_debt": 1}, A),
    "depreciation_to_assets": ({"depreciation_and_amortization": 1}, A),
    "ebit_to_assets": ({"ebit": 1}, A),
    "ebitda_to_assets": ({"ebitda": 1}, A),
    "gross_profit_to_assets": ({"gross_profit": 1}, A),
    "inventory_to_assets": ({"inventory": 1}, A),
    "current_liabilities_to_assets": ({CL: 1}, A),
    "net_income_to_assets": ({"net_income": 1}, A),
    "retained_earnings_to_assets": ({"retained_earnings": 1}, A),
    "receivables_to_assets": ({"total_receivables": 1}, A),
    "revenue_to_assets": ({S: 1}, A),
    "market_value_to_assets": ({"market_value": 1}, A),
    "liabilities_to_assets": ({TL: 1}, A),
    "operating_expenses_to_assets": ({"total_operating_expenses": 1}, A),
    "working_capital_to_assets": (WORKING_CAPITAL, A),
    "current_ratio": ({"current_assets": 1}, CL),
    "quick_ratio": ({"current_assets": 1, "inventory": -1}, CL),
    "market_value_to_liabilities": ({"market_value": 1}, TL),
    "ebitda_to_liabilities": ({"ebitda": 1}, TL),
    "net_margin": ({"net_income": 1}, S),
    "ebit_margin": ({"ebit": 1}, S),
    "market_value_size": ({"market_value": 1}, None),
    "assets_size": ({A: 1}, None),
    "revenue_size": ({S: 1}, None),
}
# Altman's Z of 1968, on what the statements have: EBIT, and market value over all liabilities.
ALTMAN = {
    "working_capital_to_assets": 1.2, "retained_earnings_to_assets": 1.4, "ebit_to_assets": 3.3,
    "market_value_to_liabilities": 0.6, "revenue_to_assets": 1.0,
}  # fmt: skip
NAMES = [*RATIOS, "altman_like_z"]


def tables():
    """Weights above and below [items, ratios], what to add below [ratios], and Z's [ratios, ratios + 1]."""
    above, below, one = np.zeros((len(CORE), len(RATIOS))), np.zeros((len(CORE), len(RATIOS))), np.zeros(len(RATIOS))
    for column, (over, under) in enumerate(RATIOS.values()):
        for item, weight in over.items():
            above[AT[item], column] = weight
        if under:
            below[AT[under], column] = 1
        else:
            one[column] = 1
    spread = np.eye(len(RATIOS), len(RATIOS) + 1)
    for name, weight in ALTMAN.items():
        spread[list(RATIOS).index(name), -1] = weight
    return above, below, one, spread


@dataclass
class Fitted:
    """What training windows say."""

    share: np.ndarray  # [STEPS, core items]: median of item over total assets, by the year's position
    assets: np.ndarray  # [STEPS]: median of total assets
    mean: np.ndarray  # [ratios + 1]
    std: np.ndarray


def fit(rows):
    """Medians, means and standard deviations of training windows [N, STEPS, items]."""
    items = core(rows)
    with_assets = np.maximum(items[:, :, ASSETS : ASSETS + 1], FLOOR)
    share, assets = np.nanmedian(items / with_assets, axis=0), np.nanmedian(items[:, :, ASSETS], axis=0)
    # Single precision first, as in the graph.
    share, assets = (value.astype(np.float32).astype(np.float64) for value in (share, assets))
    wide = compress(ratio(impute(items, share, assets))).reshape(-1, len(NAMES))
    return Fitted(share, assets, wide.mean(axis=0), wide.std(axis=0))


def core(rows):
    """The items that are used, NaN where unusable: net sales stand in for a missing revenue."""
    by_name = {name: rows[..., at].astype(np.float64) for at, name in enumerate(ITEMS)}
    by_name[S] = np.where(np.isnan(by_name[S]), by_name["net_sales"], by_name[S])
    items = np.stack([by_name[name] for name in CORE], axis=-1)
    unusable = (np.abs(items) > LIMIT) | (items <= 0) & must_be_positive()
    return np.where(unusable, np.nan, items)


def must_be_positive():
    """Which of the core items are above zero in every sound statement."""
    return np.array([name in POSITIVE for name in CORE])


def instead(items, share, assets):
    """What stands for each item where it is missing: its usual share of total assets.

    Missing total assets are told from the liabilities, and without these from the usual size.
    """
    known, owed = items[..., ASSETS], items[..., LIABILITIES]
    told = np.where(np.isnan(owed), assets, owed / share[:, LIABILITIES])
    rest = share * np.where(np.isnan(known), told, known)[..., None]
    rest[..., ASSETS] = told
    return rest


def impute(items, share, assets):
    return np.where(np.isnan(items), instead(items, share, assets), items)


def ratio(items):
    above, below, one, spread = tables()
    return (items @ above) / np.maximum(items @ below + one, FLOOR) @ spread


def compress(values):
    """A logarithm that keeps the sign."""
    return np.sign(values) * np.log1p(np.abs(values))


def inputs(rows, fitted):
    """The network's inputs [N, STEPS, 2 (ratios + 1)] from raw windows: where a year stands, what it changed."""
    wide = compress(ratio(impute(core(rows), fitted.share, fitted.assets)))
    level = np.clip((wide - fitted.mean) / fitted.std, -CLIP, CLIP)
    change = np.clip(level - level[:, BEFORE], -CLIP, CLIP)
    return np.concatenate([level, change], axis=-1).astype(np.float32)


def altman(rows, fitted):
    """The Altman-like Z of the newest year [N]; low is bad."""
    return ratio(impute(core(rows), fitted.share, fitted.assets))[:, -1, -1]
