"""Public loan sets to applications, labels and a split; applications to rows for training.

    prepare.py [--set taiwan|south-german|lending-club] [--split test]

writes applications.jsonl and labels.jsonl to out/loan-risk/ (other sets: a folder of their name
there), and with `--split test` also applications.test.jsonl and labels.test.jsonl. Cleans nothing and
derives nothing: an application holds the numbers of the set, and all arithmetic is in the model.
"""

import argparse
import csv
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.model_selection import StratifiedKFold, train_test_split

PIPELINE = Path(__file__).resolve().parents[1]
ROOT = PIPELINE.parents[1]
OUT = ROOT / "out" / PIPELINE.name
# Nothing says when an application came; one a second from here on keeps them apart and in order.
BEGIN_S = 1_128_124_800  # 2005-10-01T00:00:00Z, the month the Taiwan set speaks of
FOLDS = 5
TEST_FOLD = 0
VALIDATION_SHARE = 0.1


@dataclass
class Application:
    """One line of a set: who, which numbers (None where the set has none), and 1 for default."""

    applicant: str
    fields: dict
    outcome: int


@dataclass
class Rows:
    """Applications as the engine would export them, in the order of the set."""

    fields: list
    key: np.ndarray
    ts_event: np.ndarray
    cells: np.ndarray  # [rows, fields], float32, NaN where a field is missing
    outcome: np.ndarray
    split: np.ndarray
    fold: np.ndarray


def source(name):
    """Path of a loan file; FORETICK_DATA names the data's folder."""
    data = Path(os.environ.get("FORETICK_DATA", ROOT / "../shared/data")).resolve()
    path = data / "loans" / name
    if not path.is_file():
        raise SystemExit(f"while looking for loans: {path} is not there; set FORETICK_DATA to the data folder")
    return path


def taiwan():
    """Card holders of a Taiwanese bank, 2005; did they default in the next month?"""
    for line in csv.DictReader(source("UCI_Credit_Card.csv").open()):
        row = {"sex" if name == "GENDER" else name.lower(): number(cell) for name, cell in line.items()}
        outcome, number_of_line = row.pop("default.payment.next.month"), row.pop("id")
        yield Application(f"tw-{number_of_line}", row, outcome)


def south_german():
    """Instalment credits of a South German bank, 1973 to 1975; were they paid back?"""
    lines = csv.DictReader(source("SouthGermanCredit.asc").open(), delimiter=" ")
    for at, line in enumerate(lines, 1):
        row = {name: number(cell) for name, cell in line.items()}
        yield Application(f"de-{at}", row, 1 - row.pop("credit_risk"))


def lending_club():
    """Personal loans; int_rate and sub_grade are the lender's own grade and left out, as is the state."""
    codes = {"term_36": 36, "term_60": 60, "Not_Verified": 0, "Source_Verified": 1, "Verified": 2}
    codes |= {f"emp_{years}": years for years in range(1, 10)} | {"emp_lt_1": 0, "emp_ge_10": 10, "emp_unk": None}
    for at, line in enumerate(csv.DictReader(source("lending_club_9857.csv").open()), 1):
        outcome = int(line.pop("Class") == "bad")
        for name in ("int_rate", "sub_grade", "addr_state"):
            del line[name]
        row = {name: codes[cell] if cell in codes else number(cell) for name, cell in line.items()}
        yield Application(f"lc-{at}", row, outcome)


SETS = {
    "taiwan": ("card", taiwan),
    "south-german": ("installment", south_german),
    "lending-club": ("personal", lending_club),
}


def number(cell):
    """A whole number where the cell is one; None for an empty cell."""
    if cell in ("", "NA"):
        return None
    value = float(cell)
    return int(value) if value.is_integer() else value


def folds(outcome):
    """Which of the five parts each row is in, defaults shared out evenly."""
    fold = np.zeros(len(outcome), dtype=int)
    parts = StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(outcome, outcome)
    for at, (_, held_out) in enumerate(parts):
        fold[held_out] = at
    return fold


def divide(outcome, fold, test=TEST_FOLD):
    """Part of each row when fold `test` is held out: a tenth of the rest validates."""
    split = np.where(fold == test, "test", "train").astype("<U10")
    _, validation = train_test_split(
        np.flatnonzero(fold != test), test_size=VALIDATION_SHARE, random_state=0, stratify=outcome[fold != test]
    )
    split[validation] = "validation"
    return split


def write(name="taiwan", only=None):
    """Writes a set as applications and labels; `only` names a part to write once more by itself."""
    product, read_set = SETS[name]
    applications = list(read_set())
    outcome = np.array([application.outcome for application in applications])
    fold = folds(outcome)
    split = divide(outcome, fold)
    events, labels = [], []
    for at, application in enumerate(applications):
        ts_event = (BEGIN_S + at + 1) * 1_000_000_000
        fields = {"ts_event": ts_event, "applicant": application.applicant, "product": product}
        events.append(fields | {"fields": application.fields})
        label = {"key": application.applicant, "ts_event": ts_event, "outcome": application.outcome}
        labels.append(label | {"split": str(split[at]), "fold": int(fold[at])})
    folder = OUT if name == "taiwan" else OUT / name
    folder.mkdir(parents=True, exist_ok=True)
    for part in {"": None, f".{only}": only} if only else {"": None}:
        chosen = split == part[1:] if part else np.full(len(split), True)
        for kind, lines in (("applications", events), ("labels", labels)):
            path = folder / f"{kind}{part}.jsonl"
            path.write_text("".join(json.dumps(line) + "\n" for line, wanted in zip(lines, chosen) if wanted))
    return folder


def read(applications, labels, fields):
    """Rows of applications.jsonl, or of the engine's Parquet export of the same, joined with their labels."""
    by_time = {label["ts_event"]: label for label in map(json.loads, Path(labels).open())}
    columns = (
        read_export(applications, fields)
        if str(applications).endswith(".parquet")
        else read_events(applications, fields)
    )
    return rows(*columns, by_time, fields)


def read_events(path, fields):
    """Times and numbers of applications."""
    times, cells = [], []
    for event in map(json.loads, Path(path).open()):
        times.append(event["ts_event"])
        cells.append([np.nan if event["fields"].get(name) is None else event["fields"][name] for name in fields])
    return times, cells


def read_export(path, fields):
    """Times and numbers of rows that the engine exported."""
    import pyarrow.parquet as parquet

    table = parquet.read_table(path)
    column = lambda name: table.column(name).to_numpy(zero_copy_only=False)
    return column("ts_event").tolist(), np.stack([column(name) for name in fields], axis=1)


def rows(times, cells, by_time, fields):
    """Joins the engine's rows with their labels, which carry the same time."""
    labels = [by_time[time] for time in times]
    column = lambda name: np.array([label[name] for label in labels])
    cells = np.array(cells, dtype=np.float32)
    return Rows(fields, column("key"), np.array(times), cells, column("outcome"), column("split"), column("fold"))


def digest(chosen, at):
    """SHA-256 of rows: times, cells and outcomes, in little-endian bytes."""
    sha256 = hashlib.sha256()
    for column, form in ((chosen.ts_event, "<i8"), (chosen.cells, "<f4"), (chosen.outcome, "<i8")):
        sha256.update(np.ascontiguousarray(column[at]).astype(form).tobytes())
    return sha256.hexdigest()


def main():
    parser = argparse.ArgumentParser(description="Writes a public loan set as applications and labels.")
    parser.add_argument("--set", default="taiwan", choices=SETS)
    parser.add_argument("--split", choices=["train", "validation", "test"], help="write this part by itself too")
    asked = parser.parse_args()
    folder = write(asked.set, asked.split)
    print(f"wrote applications and labels to {os.path.relpath(folder, ROOT)}")


if __name__ == "__main__":
    main()
