"""Statements of US listed firms to records, labels and windows.

    python prepare.py [--split train|validation|test]

writes statements.jsonl (topic credit.statements.v1) and labels.jsonl to out/default-alerts; with a
split named, statements.SPLIT.jsonl and labels.SPLIT.jsonl with the firms of that split alone.
Changes no number and makes no row: `foretick features` does, with the code that runs live. What the
model needs of ratios, it works out itself.
"""

import argparse
import csv
import datetime
import hashlib
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np

PIPELINE = Path(__file__).resolve().parents[1]
ROOT = PIPELINE.parents[1]
OUT = ROOT / "out" / PIPELINE.name
SPLITS = ["train", "validation", "test"]
STEPS = 4

# The 18 items of a statement in million USD, in the order of the model's input.
ITEMS = [
    "current_assets", "total_assets", "cost_of_goods_sold", "total_long_term_debt",
    "depreciation_and_amortization", "ebit", "ebitda", "gross_profit", "inventory",
    "total_current_liabilities", "net_income", "retained_earnings", "total_receivables",
    "total_revenue", "market_value", "total_liabilities", "net_sales", "total_operating_expenses",
]  # fmt: skip

# The files name the fiscal year, not the day a statement came out: this long after the year's last day.
PUBLISHED_AFTER = datetime.timedelta(days=90)


@dataclass
class Windows:
    """Four fiscal years of each firm of one split, the newest last."""

    split: str
    obligor: list
    years: np.ndarray  # [N]: the last fiscal year
    rows: np.ndarray  # [N, STEPS, items], float32
    outcome: np.ndarray  # [N]: 1 where the firm failed in the year after
    features_sha256: str


def folder():
    """Where the files lie; FORETICK_DATA names the folder above."""
    data = Path(os.environ.get("FORETICK_DATA", ROOT / "../shared/data")).resolve()
    return data / "default" / "us-window4"


def source(split):
    """The file of a split."""
    path = folder() / f"{STEPS}_{split}_for_LSTM.csv"
    if not path.is_file():
        raise SystemExit(f"while looking for statements: {path} is not there; set FORETICK_DATA to the data folder")
    return path


def read(split):
    """A list of (obligor, [(year, items)], outcome), one for each window in the file."""
    with source(split).open(newline="") as file:
        lines = list(csv.DictReader(file))
    if len(lines) % STEPS:
        raise SystemExit(f"while reading {split}: {len(lines)} rows are no whole number of {STEPS}-year windows")
    cut = []
    for begin in range(0, len(lines), STEPS):
        window = lines[begin : begin + STEPS]
        years = [int(float(line["fyear"])) for line in window]
        firms, outcomes = ({line[key] for line in window} for key in ("cik", "status"))
        if len(firms) != 1 or len(outcomes) != 1 or years != list(range(years[0], years[0] + STEPS)):
            raise SystemExit(f"while reading {split}: rows from {begin + 1} on are no window of one firm")
        items = [{name: number(line[name]) for name in ITEMS} for line in window]
        cut.append((f"CIK{int(firms.pop())}", list(zip(years, items)), int(outcomes.pop())))
    return cut


def number(text):
    """A cell; None where it is empty."""
    return float(text) if text.strip() else None


def check_apart(cuts):
    """No firm may be in two splits."""
    home = {}
    for split, windows in cuts.items():
        for obligor, *_ in windows:
            if home.setdefault(obligor, split) != split:
                raise SystemExit(f"while splitting: {obligor} is in {home[obligor]} and in {split}")


def load():
    """Windows by split, cut from the rows that the engine makes of all statements."""
    write()
    cuts = {split: read(split) for split in SPLITS}
    rows, features_sha256 = export()
    return {split: as_windows(split, cut, rows, features_sha256) for split, cut in cuts.items()}


def export():
    """Rows of statements.jsonl by obligor and period, NaN where an item is missing; and the features' hash."""
    # Whoever only writes events needs no Parquet.
    from pyarrow import parquet

    path = OUT / "rows.parquet"
    foretick("features", PIPELINE, "--input", OUT / "statements.jsonl", "--output", path, "--force", "--json")
    table = parquet.read_table(path)
    column = lambda name: table.column(name).to_pylist()
    cells = np.stack([table.column(item).to_numpy() for item in ITEMS], axis=1)
    times = table.column("ts_event").to_numpy().astype("datetime64[ns]").astype(np.int64).tolist()
    known = zip(column("obligor"), column("period"), times, cells, strict=True)
    rows = {(obligor, year): row for obligor, year, ts_event, row in known if ts_event == known_at(year)}
    if len(rows) != len(cells):
        raise SystemExit(f"while reading {path}: some rows repeat others, or are of another time than their statement")
    return rows, table.schema.metadata[b"foretick.features_sha256"].decode()


def as_windows(split, cut, rows, features_sha256):
    return Windows(
        split=split,
        obligor=[obligor for obligor, *_ in cut],
        years=np.array([statements[-1][0] for _, statements, _ in cut]),
        rows=np.array([[rows[obligor, year] for year, _ in each] for obligor, each, _ in cut], dtype=np.float32),
        outcome=np.array([outcome for *_, outcome in cut]),
        features_sha256=features_sha256,
    )


def foretick(*arguments):
    """Runs the engine's binary, which FORETICK names."""
    binary = os.environ.get("FORETICK", ROOT / "target" / "release" / "foretick")
    done = subprocess.run([binary, *map(str, arguments)], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise SystemExit(f"while running foretick {arguments[0]}: it failed as said above")


def known_at(year):
    """When the statement of a fiscal year became known, in nanoseconds."""
    day = datetime.datetime(year, 12, 31, tzinfo=datetime.UTC) + PUBLISHED_AFTER
    return int(day.timestamp()) * 10**9


def records(cuts):
    """Statements in the order of time, one a firm and year, and one label a window."""
    statements, labels = {}, []
    for split, windows in cuts.items():
        for obligor, window, outcome in windows:
            for year, items in window:
                record = {"ts_event": known_at(year), "obligor": obligor, "period": year, "items": items}
                if statements.setdefault((obligor, year), record) != record:
                    raise SystemExit(f"while joining windows: {obligor} has two statements of {year}")
            last = known_at(window[-1][0])
            labels.append({"key": obligor, "ts_event": last, "outcome": outcome, "split": split})
    in_time = sorted(statements.values(), key=lambda record: (record["ts_event"], record["obligor"]))
    return in_time, sorted(labels, key=lambda label: (label["ts_event"], label["key"]))


def write(split=None):
    """Writes the two files; with a split, those of its firms alone."""
    cuts = {name: read(name) for name in SPLITS}
    check_apart(cuts)
    if split:
        cuts = {split: cuts[split]}
    OUT.mkdir(parents=True, exist_ok=True)
    for name, lines in zip(("statements", "labels"), records(cuts)):
        path = OUT / (f"{name}.{split}.jsonl" if split else f"{name}.jsonl")
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        print(f"{path.name}: {len(lines)} lines", flush=True)


def digest(split="train"):
    """SHA-256 of a split's file."""
    return hashlib.sha256(source(split).read_bytes()).hexdigest()


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description="Writes statements and labels to out/default-alerts.")
    arguments.add_argument("--split", choices=SPLITS, help="the firms of this split alone")
    write(arguments.parse_args().split)
