"""Made-up stocks with what the model says of them: golden.jsonl. No row of the data is among them.

`rows` has the days of a window, the oldest first, each in the order of `foretick.features`.
"""

import json

import numpy as np

# What kind of days: the stock's return and range a day, the volume's excess, the sentiment, the VIX,
# how far the index is below its highest, and the standard deviation of its returns.
DAYS = {
    "quiet, good news": (0.001, 0.008, -0.1, 0.4, 12.5, 0.004, 0.005),
    "quiet, bad news": (-0.001, 0.008, -0.1, -0.4, 12.5, 0.004, 0.005),
    "quiet, no news": (0.0, 0.006, -0.3, 0.0, 11.8, 0.0, 0.004),
    "rising with the market": (0.008, 0.015, 0.2, 0.3, 13.0, 0.001, 0.007),
    "rising against the market": (0.012, 0.025, 0.6, 0.5, 19.0, 0.04, 0.011),
    "falling with the market": (-0.012, 0.025, 0.6, -0.2, 22.0, 0.06, 0.013),
    "falling against the market": (-0.015, 0.03, 1.2, -0.5, 12.5, 0.002, 0.005),
    "market in fear": (-0.03, 0.06, 1.8, -0.3, 38.0, 0.11, 0.022),
    "market recovering": (0.02, 0.03, 0.5, 0.2, 24.0, 0.05, 0.019),
    "beyond all limits": (0.4, 0.9, 30.0, 1.0, 90.0, 0.6, 0.2),
}


def windows(features, steps):
    """Made-up windows by name [steps, features]."""
    return {name: np.array([day(kind, age, features) for age in range(steps)[::-1]]) for name, kind in DAYS.items()}


def day(kind, age, features):
    """One day of a window; `age` days before its newest, everything was a little less so."""
    move, wide, volume, told, _, fall, moves = (value / (1 + 0.1 * age) for value in kind)
    cells = {
        "open_gap": -0.8 * move, "high_gap": max(0.0, -move) + 0.3 * wide, "low_gap": -max(0.0, move) - 0.3 * wide,
        "return": move, "mean_5": -2 * move, "mean_20": -9 * move, "volatility_20": 0.7 * wide + abs(move),
        "volume_gap": volume, "sentiment": told, "vix": kind[4] * (1 - 0.02 * age),
        "sp500_fall": fall, "sp500_volatility": moves,
    }  # fmt: skip
    return [round(cells[name], 6) for name in features]


def write(path, model):
    """Writes the windows with what the model says of each."""
    lines = []
    for name, rows in windows(model.read("features"), model.read("steps")).items():
        said = model.up(np.float32(rows)[None])[0]
        lines.append({"name": name, "rows": rows.tolist(), "up": round(float(said), 7)})
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def read(path):
    """Names, rows and probabilities of up."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return (
        [line["name"] for line in lines],
        [np.array(line["rows"]) for line in lines],
        np.array([line["up"] for line in lines]),
    )
