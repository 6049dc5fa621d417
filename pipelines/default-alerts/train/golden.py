"""Twenty made-up firms with what the model says of them: golden.jsonl. No firm of the data is among them.

`rows` has four years, the oldest first, each in the order of `foretick.features`; null is missing.
"""

import json

import numpy as np

from grades import grade
from prepare import ITEMS, STEPS

# What kind of firm: assets in million USD, growth a year, margin in the oldest and newest year,
# liabilities over assets likewise, market value over assets in the newest year.
FIRMS = {
    "large and sound": (24_000, 0.05, 0.12, 0.13, 0.50, 0.48, 1.8),
    "middling and sound": (1_900, 0.04, 0.08, 0.08, 0.55, 0.54, 1.1),
    "small and sound": (85, 0.06, 0.07, 0.06, 0.40, 0.41, 0.9),
    "young, growing, at a loss": (140, 0.45, -0.60, -0.35, 0.25, 0.35, 3.2),
    "shrinking": (620, -0.12, 0.05, -0.02, 0.55, 0.66, 0.4),
    "shrinking fast, at a loss": (410, -0.28, 0.01, -0.24, 0.62, 0.97, 0.08),
    "indebted, even": (5_300, 0.01, 0.03, 0.02, 0.82, 0.84, 0.25),
    "indebted, at a loss": (2_700, -0.08, -0.02, -0.15, 0.85, 1.12, 0.05),
    "near the end": (55, -0.40, -0.20, -0.90, 0.90, 1.90, 0.03),
    "recovering": (760, 0.08, -0.18, 0.05, 0.88, 0.62, 0.8),
    "tiny, at a loss": (3.1, -0.15, -0.35, -0.70, 0.60, 1.05, 0.9),
    "giant": (310_000, 0.03, 0.10, 0.11, 0.60, 0.61, 1.3),
}


def windows():
    """Made-up windows by name [STEPS, items]; the last eight try what statements may lack or break."""
    made = {name: firm(*kind) for name, kind in FIRMS.items()}
    at = {name: column for column, name in enumerate(ITEMS)}
    base = lambda name: made[name].copy()
    for item in ("market_value", "total_assets", "total_revenue"):
        made[f"without {item}"] = base("middling and sound")
        made[f"without {item}"][:, at[item]] = np.nan
    made["a whole year missing"] = base("shrinking")
    made["a whole year missing"][1] = np.nan
    made["nothing known"] = np.full((STEPS, len(ITEMS)), np.nan, dtype=np.float32)
    made["all zero"] = np.zeros((STEPS, len(ITEMS)), dtype=np.float32)
    made["negative totals"] = -base("small and sound")
    made["beyond all limits"] = base("giant") * np.float32(1e20)
    return made


def firm(assets, growth, margin_old, margin_new, owed_old, owed_new, value_new):
    """Four statements that add up."""
    rows = []
    for step in range(STEPS):
        part = step / (STEPS - 1)
        total = assets * (1 + growth) ** (step - STEPS + 1)
        margin, owed = margin_old + part * (margin_new - margin_old), owed_old + part * (owed_new - owed_old)
        revenue, written_off = 0.9 * total, 0.04 * total
        ebit = revenue * margin
        net = (ebit - 0.03 * owed * total) * (0.75 if ebit > 0.03 * owed * total else 1.0)
        statement = {
            "current_assets": 0.45 * total, "total_assets": total, "cost_of_goods_sold": 0.62 * revenue,
            "total_long_term_debt": 0.4 * owed * total, "depreciation_and_amortization": written_off, "ebit": ebit,
            "ebitda": ebit + written_off, "gross_profit": 0.38 * revenue, "inventory": 0.1 * total,
            "total_current_liabilities": 0.45 * owed * total, "net_income": net,
            "retained_earnings": (2.5 * margin - 0.1) * total, "total_receivables": 0.13 * total,
            "total_revenue": revenue, "market_value": value_new * total * (1 + 0.1 * (1 - part)),
            "total_liabilities": owed * total, "net_sales": revenue,
            "total_operating_expenses": revenue - ebit - written_off,
        }  # fmt: skip
        rows.append([round(statement[name], 3) for name in ITEMS])
    return np.array(rows, dtype=np.float32)


def write(path, run):
    """Writes the windows with what `run` (rows to PD and reasons) says of each."""
    lines = []
    for name, rows in windows().items():
        pd, reasons = run(rows[None])
        cells = [[None if np.isnan(cell) else float(str(cell)) for cell in row] for row in rows]
        said = {"probability": float(str(pd[0, 0])), "grade": grade(pd[0, 0])}
        lines.append({"name": name, "rows": cells, **said, "reasons": [round(float(value), 6) for value in reasons[0]]})
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def read(path):
    """Names, rows, PDs, grades and reasons."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    # null becomes NaN
    rows = np.array([line["rows"] for line in lines], dtype=np.float32)
    probability = np.array([[line["probability"]] for line in lines])
    names, grades = ([line[key] for line in lines] for key in ("name", "grade"))
    return names, rows, probability, grades, np.array([line["reasons"] for line in lines])
