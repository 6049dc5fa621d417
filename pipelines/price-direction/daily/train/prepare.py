"""Daily bars, macro figures and tweets to events, labels and windows.

    python prepare.py [--split train|dev|test]

writes to out/price-direction-daily: bars.jsonl (topic md.bars.v1), figures.jsonl (macro.figures.v1),
items.jsonl (news.items.v1) and labels.jsonl; with a split named, labels.SPLIT.jsonl instead of the
last. Computes no feature: `foretick features` does, with the code that runs live.

The split is that of StockNet (Xu and Cohen 2018): by the day whose move is predicted, and without
the moves that are neither up nor down.
"""

import argparse
import csv
import datetime
import gzip
import hashlib
import itertools
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

PIPELINE = Path(__file__).resolve().parents[1]
ROOT = PIPELINE.parents[2]
OUT = ROOT / "out" / "price-direction-daily"
NEWS = ROOT / "pipelines" / "news-sentiment"
NEW_YORK = ZoneInfo("America/New_York")
CLOSE, EARLY_CLOSE = datetime.time(16), datetime.time(13)
EARLY_DAYS = {
    "2013-07-03",
    "2013-11-29",
    "2013-12-24",
    "2014-07-03",
    "2014-11-28",
    "2014-12-24",
    "2015-11-27",
    "2015-12-24",
}

LABELS = ["down", "up"]
UP, DOWN = 0.0055, -0.005
# From the first day on, up to but not including the second: days whose close the move ends in.
SPLITS = {
    "train": ("2014-01-01", "2015-08-01"),
    "dev": ("2015-08-01", "2015-10-01"),
    "test": ("2015-10-01", "2016-01-01"),
}
# Stretches of days that choose, each with what lies before it in training; the last one is `dev`.
FOLDS = ["2014-10-01", "2014-12-01", "2015-02-01", "2015-04-01", "2015-06-01", "2015-08-01", "2015-10-01"]
# Bars before the training begins, so that every window is warm on its first day.
FIRST_BAR = "2013-06-01"
FIGURES = {"vix": "finance-vix_vix-daily.csv", "sp500": "sp500.csv.gz"}


@dataclass
class Rows:
    """The export, in the order of time within each instrument."""

    contract: dict
    instrument: np.ndarray
    ts_event: np.ndarray
    ok: np.ndarray
    cells: np.ndarray  # [rows, features]
    label: np.ndarray  # place in LABELS; -1 where the next day is neither up nor down, or in no split
    split: np.ndarray  # name of the split of the next day; empty in none
    day: np.ndarray  # the next day, 2014-01-31; empty where there is none


def folder(name):
    """A data folder; FORETICK_DATA names the one above."""
    path = Path(os.environ.get("FORETICK_DATA", ROOT / "../shared/data")).resolve() / name
    if not path.is_dir():
        raise SystemExit(f"while looking for data: {path} is not there; set FORETICK_DATA to the data folder")
    return path


def symbols():
    """Symbols by ticker, as the news-sentiment pipeline has them: AAPL to AAPL.XNAS; a ticker not listed is its own."""
    with (NEWS / "instruments.csv").open(newline="", encoding="utf-8") as file:
        return {line["symbol"].split(".")[0]: line["symbol"] for line in csv.DictReader(file)}


def close(day):
    """When trading ends in New York on a day, in nanoseconds."""
    end = EARLY_CLOSE if day.isoformat() in EARLY_DAYS else CLOSE
    return int(datetime.datetime.combine(day, end, NEW_YORK).timestamp()) * 10**9


def prices(path):
    """(day, open, high, low, close, volume) of each day, adjusted for splits and dividends."""
    with path.open(newline="") as file:
        for line in csv.DictReader(file):
            if line["Close"] == "null":  # no trading that day
                continue
            first, high, low, last = (float(line[name]) for name in ("Open", "High", "Low", "Close"))
            # A few lines have a high below their open, or a low above their close.
            cells = first, max(first, high, last), min(first, low, last), last
            adjust = float(line["Adj Close"]) / last
            day = datetime.date.fromisoformat(line["Date"])
            yield day, *(f"{cell * adjust:.6f}" for cell in cells), line["Volume"]


def bars():
    """Bars in the order of time."""
    listed, found = symbols(), []
    for path in sorted((folder("news") / "stocknet" / "price").glob("*.csv")):
        for day, *cells, volume in prices(path):
            if FIRST_BAR <= day.isoformat() < SPLITS["test"][1]:
                record = {"ts_event": close(day), "symbol": listed.get(path.stem, path.stem)}
                found.append(record | dict(zip(("open", "high", "low", "close"), cells)) | {"volume": volume})
    return sorted(found, key=lambda record: (record["ts_event"], record["symbol"]))


def figures():
    """Closes of the VIX and the S&P 500, each known at the close of its day."""
    found = []
    for name, file in FIGURES.items():
        path = folder("macro") / file
        reader = gzip.open if path.suffix == ".gz" else open
        with reader(path, "rt", newline="") as lines:
            for line in csv.DictReader(lines):
                cells = {key.lower(): cell for key, cell in line.items()}
                day = as_day(cells["date"])
                if FIRST_BAR <= day.isoformat() < SPLITS["test"][1]:
                    found.append({"ts_event": close(day), "figure": name, "value": float(cells["close"])})
    return sorted(found, key=lambda record: (record["ts_event"], record["figure"]))


def as_day(text):
    """2014-01-31, or 1/31/2014."""
    if "/" not in text:
        return datetime.date.fromisoformat(text)
    month, day, year = map(int, text.split("/"))
    return datetime.date(year, month, day)


def items():
    """Tweets, each once with all the stocks it was filed under."""
    listed, found = symbols(), {}
    path = folder("news") / "stocknet" / "tweets_by_time.jsonl.zst"
    lines = subprocess.run(["zstd", "-dcq", path], check=True, capture_output=True).stdout.decode().splitlines()
    for line in map(json.loads, lines):
        headline = as_text(line["tokens"])
        told = datetime.datetime.fromisoformat(line["ts"])
        key = f"{line['ts']} {line['user']} {headline}"
        tweet = {
            "ts_event": int(told.timestamp()) * 10**9,
            "id": hashlib.sha256(key.encode()).hexdigest()[:16],
            "headline": headline,
            "instruments": [],
        }
        stocks = found.setdefault(key, tweet)["instruments"]
        symbol = listed.get(line["ticker"], line["ticker"])
        if headline and symbol not in stocks:
            stocks.append(symbol)
    return sorted(
        (item for item in found.values() if item["headline"]), key=lambda item: (item["ts_event"], item["id"])
    )


def as_text(tokens):
    """The file's tokens as people write them: `$ aapl` is a cashtag, addresses and user names are gone."""
    return " ".join(token for token in tokens if token not in ("URL", "AT_USER")).replace("$ ", "$")


def labels(records):
    """What the close of each bar's next day will be, where it is up or down and in a split."""
    found, before = [], {}
    for record in records:
        earlier = before.get(record["symbol"])
        before[record["symbol"]] = record
        day = datetime.datetime.fromtimestamp(record["ts_event"] // 10**9, NEW_YORK).date().isoformat()
        split = next((name for name, (first, end) in SPLITS.items() if first <= day < end), None)
        if earlier is None or split is None:
            continue
        move = float(record["close"]) / float(earlier["close"]) - 1
        if move >= UP or move <= DOWN:
            outcome = LABELS[move >= UP]
            label = {"key": record["symbol"], "ts_event": earlier["ts_event"], "outcome": outcome, "split": split}
            found.append(label | {"day": day})
    return found


def write(split=None):
    """Writes the events and the labels."""
    OUT.mkdir(parents=True, exist_ok=True)
    market = bars()
    told = labels(market)
    if split:
        told = [label for label in told if label["split"] == split]
    # The receive time before each record merges the files.
    for name, records in {"figures": figures(), "bars": market, "items": items()}.items():
        put(OUT / f"{name}.jsonl", (f"{record['ts_event']} {text(record)}" for record in records))
    put(OUT / (f"labels.{split}.jsonl" if split else "labels.jsonl"), map(text, told))
    return told


def text(record):
    return json.dumps(record, ensure_ascii=False)


def put(path, lines):
    lines = list(lines)
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    print(f"{path.name}: {len(lines)} lines", flush=True)


def foretick(*arguments):
    """Runs the engine's binary, which FORETICK names."""
    binary = os.environ.get("FORETICK", ROOT / "target" / "release" / "foretick")
    done = subprocess.run([binary, *map(str, arguments)], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise SystemExit(f"while running foretick {arguments[0]}: it failed as said above")
    return json.loads(done.stdout)


def events():
    """What the pipeline reads, at one moment in this order: what was written, figures, bars."""
    return [OUT / f"{name}.jsonl" for name in ("sentiment", "figures", "bars")]


def score_items():
    """Has the news-sentiment pipeline score the tweets, once a version of it, and puts each signal behind its time."""
    version = hashlib.sha256()
    for name in ("pipeline.toml", "vocab.txt", "instruments.csv", "model.onnx"):
        version.update((NEWS / name).read_bytes())
    signals = OUT / f"sentiment.{version.hexdigest()[:12]}.jsonl"
    if not signals.is_file():
        foretick("replay", NEWS, "--input", OUT / "items.jsonl", "--output", signals, "--force", "--json")
    with signals.open(encoding="utf-8") as lines, events()[0].open("w", encoding="utf-8") as stamped:
        stamped.writelines(f"{json.loads(line)['ts_event']} {line}" for line in lines)


def export():
    """Has the engine score the tweets and write its rows to out/, and reads them."""
    told, rows = write(), OUT / "rows.parquet"
    score_items()
    foretick("features", PIPELINE, "--input", *events(), "--output", rows, "--force", "--json")
    return read(rows, told)


def read(path, told):
    """Reads an export and puts the labels to its rows."""
    # Whoever only writes events needs no Parquet.
    from pyarrow import parquet

    table = parquet.read_table(path)
    metadata = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
    contract = {
        "features": json.loads(metadata["foretick.features"]),
        "features_sha256": metadata["foretick.features_sha256"],
        "labels": LABELS,
    }
    column = lambda name: table.column(name).to_numpy()
    instrument, ts_event = column("instrument").astype(str), column("ts_event").astype(np.int64)
    order = np.lexsort((ts_event, instrument))
    instrument, ts_event = instrument[order], ts_event[order]
    known = {(label["key"], label["ts_event"]): label for label in told}
    each = [known.get(key) for key in zip(instrument.tolist(), ts_event.tolist())]
    return Rows(
        contract=contract,
        instrument=instrument,
        ts_event=ts_event,
        ok=(column("quality") == "ok")[order],
        cells=np.stack([column(name) for name in contract["features"]], axis=1).astype(np.float64)[order],
        label=np.array([LABELS.index(label["outcome"]) if label else -1 for label in each]),
        split=np.array([label["split"] if label else "" for label in each]),
        day=np.array([label["day"] if label else "" for label in each]),
    )


def whole(rows, steps):
    """Which rows end a window of one instrument with good quality."""
    run = np.zeros(len(rows.ts_event), dtype=int)  # good rows up to and with this one
    for at in range(len(run)):
        joined = at > 0 and rows.instrument[at] == rows.instrument[at - 1]
        run[at] = (run[at - 1] + 1 if joined else 1) if rows.ok[at] else 0
    return run >= steps


def ends(rows, split, steps):
    """The last rows of a split's windows."""
    return np.flatnonzero(whole(rows, steps) & (rows.split == split))


def folds(rows, steps):
    """(earlier windows, windows) of each stretch that chooses, normalised by the earlier ones."""
    usable = whole(rows, steps) & (rows.label >= 0)
    for first, end in itertools.pairwise(FOLDS):
        early = np.flatnonzero(usable & (rows.split == "train") & (rows.day < first))
        late = np.flatnonzero(usable & (rows.day >= first) & (rows.day < end))
        normalise = normalisation(rows, early)
        yield tuple((windows(rows, at, steps, *normalise), rows.label[at]) for at in (early, late))


def normalisation(rows, at):
    """Mean and standard deviation of each feature."""
    cells = rows.cells[at]
    return cells.mean(axis=0), cells.std(axis=0)


def windows(rows, at, steps, mean=0.0, std=1.0):
    """Windows [N, T, F] in single precision: normalised as networks take them, or as rows are, as the file does."""
    with np.errstate(invalid="ignore"):
        scaled = ((rows.cells - mean) / std).astype(np.float32)
    return scaled[at[:, None] + np.arange(1 - steps, 1)]


def tenths(values, last=9):
    """The 10, 20, … % points along the first axis, up to the last of so many tenths."""
    return np.nanquantile(values, np.arange(1, last + 1) / 10, axis=0)


def digest(rows, at):
    """SHA-256 of the training rows: times, cells and labels, in little-endian bytes."""
    sha256 = hashlib.sha256()
    for column in (rows.ts_event[at], rows.cells[at], rows.label[at]):
        sha256.update(np.ascontiguousarray(column).astype(column.dtype.newbyteorder("<")).tobytes())
    return sha256.hexdigest()


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description="Writes events and labels to out/price-direction-daily.")
    arguments.add_argument("--split", choices=SPLITS, help="labels of this split alone")
    arguments.add_argument("--score", action="store_true", help="have the tweets scored as well")
    arguments = arguments.parse_args()
    write(arguments.split)
    if arguments.score:
        score_items()
