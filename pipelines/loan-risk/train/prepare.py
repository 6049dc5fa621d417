"""Public loan sets to applications, labels and a split; applications to the engine's rows for training.

    prepare.py [--set taiwan|south-german|lending-club] [--split test]

writes applications.jsonl and labels.jsonl to out/loan-risk/ (other sets: a folder of their name
there), and with `--split test` also applications.test.jsonl and labels.test.jsonl. Cleans nothing and
derives nothing: an application holds the numbers of the set, `foretick features` makes rows of them with
the code that runs live, and all arithmetic is in the model.
"""

import argparse
import csv
import hashlib
import json
import os
import subprocess
import tomllib
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
# The engine puts a token in an applicant's place, under this key where none is set. Rows are joined without it.
KEY = {"FORETICK_PRIVACY_KEY": "only to join events and labels"}
# The pipeline of a set, or of fields, that the shipped one does not read.
OTHER = """name = "loan-risk-{name}"

[source]
kind = "kafka"
topics = ["credit.applications.v1"]
products = ["{product}"]

[row]
on = "application"

[privacy]
key = "env:FORETICK_PRIVACY_KEY"
key_id = "k1"

{features}[model]
kind = "sum"

[signal]
schema = "grades.loan.v1"
"""


@dataclass
class Application:
    """One line of a set: who, which numbers (None where the set has none), and 1 for default."""

    applicant: str
    fields: dict
    outcome: int


@dataclass
class Rows:
    """Applications as the engine exports them, in the order of the set."""

    fields: list
    features_sha256: str  # of all that the exporting pipeline reads
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


def folder_of(name):
    """Where a set's files lie."""
    return OUT if name == "taiwan" else OUT / name


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
    folder = folder_of(name)
    folder.mkdir(parents=True, exist_ok=True)
    for part in {"": None, f".{only}": only} if only else {"": None}:
        chosen = split == part[1:] if part else np.full(len(split), True)
        for kind, lines in (("applications", events), ("labels", labels)):
            path = folder / f"{kind}{part}.jsonl"
            path.write_text("".join(json.dumps(line) + "\n" for line, wanted in zip(lines, chosen) if wanted))
    return folder


def fields_of(name):
    """All fields of a set's applications, in their order."""
    with (folder_of(name) / "applications.jsonl").open() as events:
        return list(json.loads(next(events))["fields"])


def export(fields, name="taiwan"):
    """Has the engine make rows of a set that was written, and puts its labels to them."""
    # Whoever only writes events needs no Parquet.
    from pyarrow import parquet

    folder = folder_of(name)
    made = folder / "rows.parquet"
    foretick("features", reading(fields, name), "--input", folder / "applications.jsonl", "--output", made, "--force", "--json")
    table = parquet.read_table(made)
    with (folder / "labels.jsonl").open() as lines:
        labels = [json.loads(line) for line in lines]
    times = table.column("ts_event").to_numpy().astype("datetime64[ns]").astype(np.int64)
    # An applicant is a token by now, so rows and labels are joined by their order.
    if times.tolist() != [label["ts_event"] for label in labels]:
        raise SystemExit(f"while joining rows and labels: {made} has not one row for each application, in their order")
    column = lambda key: np.array([label[key] for label in labels])
    return Rows(
        fields=fields,
        features_sha256=table.schema.metadata[b"foretick.features_sha256"].decode(),
        key=column("key"),
        ts_event=times,
        cells=np.stack([table.column(field).to_numpy() for field in fields], axis=1).astype(np.float32),
        outcome=column("outcome"),
        split=column("split"),
        fold=column("fold"),
    )


def reading(fields, name):
    """The pipeline that reads these fields: this one, or one like it that is written for them."""
    shipped = tomllib.loads((PIPELINE / "pipeline.toml").read_text())
    if name == "taiwan" and {feature["name"] for feature in shipped["feature"]} >= set(fields):
        return PIPELINE
    folder = folder_of(name) / "other-fields"
    folder.mkdir(exist_ok=True)
    features = "".join(f'[[feature]]\nname = "{field}"\nkind = "field"\n\n' for field in fields)
    (folder / "pipeline.toml").write_text(OTHER.format(name=name, product=SETS[name][0], features=features))
    return folder


def foretick(*arguments):
    """Runs the engine's binary, which FORETICK names."""
    binary = os.environ.get("FORETICK", ROOT / "target" / "release" / "foretick")
    done = subprocess.run([binary, *map(str, arguments)], stdout=subprocess.PIPE, text=True, env=KEY | os.environ)
    if done.returncode != 0:
        raise SystemExit(f"while running foretick {arguments[0]}: it failed as said above")


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
