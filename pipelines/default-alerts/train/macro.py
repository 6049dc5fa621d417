"""Whether figures of the economy would help: LightGBM on the ratios, with and without them.

    python macro.py

Adds to each window what was known of its last year: VIX (mean, last), the S&P 500's return, inflation, the ten-year
yield and its change. Prints figures on validation and test; writes nothing. FORETICK_DATA names the data's folder.
"""

import csv
from collections import defaultdict

import numpy as np

import baselines
import prepare
import ratios
from score import auc, log_loss


def yearly(path, date, columns):
    """Lists of each column's values by year, in the order of the file."""
    years = defaultdict(list)
    with path.open(newline="") as file:
        for line in csv.DictReader(file):
            years[int(line[date][:4])].append([float(line[name]) for name in columns])
    return {year: np.array(rows) for year, rows in years.items()}


def figures():
    """Figures of the economy by year."""
    folder = prepare.folder().parents[1] / "macro"
    vix = yearly(folder / "finance-vix_vix-daily.csv", "DATE", ["CLOSE"])
    market = yearly(folder / "s-and-p-500_data.csv", "Date", ["SP500", "Consumer Price Index", "Long Interest Rate"])
    known = {}
    for year in set(vix) & set(market):
        if year - 1 in market:
            (index, prices, rate), before = market[year][-1], market[year - 1][-1]
            of_year = [np.log(index / before[0]), np.log(prices / before[1]), rate, rate - before[2]]
            known[year] = [vix[year].mean(), vix[year][-1, 0], *of_year]
    return known


def main():
    windows = prepare.load()
    fitted = ratios.fit(windows["train"].rows)
    known = figures()
    inputs = {split: baselines.columns(ratios.inputs(each.rows, fitted)) for split, each in windows.items()}
    economy = {split: np.array([known[int(year)] for year in each.years]) for split, each in windows.items()}
    both = {split: np.concatenate([inputs[split], economy[split]], axis=1) for split in windows}
    print("LightGBM, 3 seeds: validation AUC, log loss; test AUC")
    for name, columns in (("ratios", inputs), ("ratios and economy", both)):
        for trees in (100, 200):
            rows = []
            for seed in range(3):
                model = baselines.grow_on(columns["train"], windows["train"].outcome, trees, seed)
                said = {split: model.predict_proba(columns[split])[:, 1] for split in ("validation", "test")}
                judged = (windows[split].outcome for split in ("validation", "test"))
                validation, test = judged
                rows.append([auc(said["validation"], validation), log_loss(said["validation"], validation),
                             auc(said["test"], test)])  # fmt: skip
            print(f"{name:20} {trees} trees: " + "  ".join(f"{value:.4f}" for value in np.mean(rows, axis=0)))


if __name__ == "__main__":
    main()
