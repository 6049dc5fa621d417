"""Captures to training windows: exports the rows, splits them by time, cuts windows.

Computes no feature and no label: `foretick features` does both, with the code that runs live.
"""

import hashlib
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet

PIPELINE = Path(__file__).resolve().parents[1]
ROOT = PIPELINE.parents[1]
OUT = ROOT / "out" / PIPELINE.name
CAPTURES = ["btcusdt_20240808.gz", "btcusdt_20240809.gz", "ethusdt_20240808.gz"]

# The last part of the training time chooses the epoch and the seed.
VALIDATION_SHARE = 0.2
# Rows come every 100 ms; after a longer silence than this a window would join what is not adjacent.
GAP_NS = 1_000_000_000
# Features without a direction. All others change sign when buyers and sellers change places.
UNSIGNED = {"spread", "volatility_10s", "trades_per_s"}


@dataclass
class Rows:
    """The export, in the order of time within each instrument."""

    contract: dict
    instrument: np.ndarray
    ts_event: np.ndarray
    ok: np.ndarray
    cells: np.ndarray  # [rows, features]
    label: np.ndarray  # index into contract["labels"]; -1 where the capture ended before the horizon
    split: np.ndarray


@dataclass
class Split:
    """Windows by the number of their last row."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def captures():
    """Paths of the captures; FORETICK_DATA names their folder."""
    data = Path(os.environ.get("FORETICK_DATA", ROOT / "../shared/data")).resolve()
    paths = [data / "captures" / "binance-spot" / name for name in CAPTURES]
    for path in paths:
        if not path.is_file():
            raise SystemExit(f"while looking for captures: {path} is not there; set FORETICK_DATA to the data folder")
    return paths


def foretick(*arguments):
    """Runs the engine's binary, which FORETICK names."""
    binary = os.environ.get("FORETICK", ROOT / "target" / "release" / "foretick")
    done = subprocess.run([binary, *map(str, arguments)], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise SystemExit(f"while running foretick {arguments[0]}: it failed as said above")
    return json.loads(done.stdout)


def export():
    """Has the engine write its rows to out/, and reads them."""
    OUT.mkdir(parents=True, exist_ok=True)
    path = OUT / "rows.parquet"
    foretick("features", PIPELINE, "--input", *captures(), "--output", path, "--force", "--json")
    return read(path)


def read(path, unsigned=UNSIGNED):
    """Reads an export; `unsigned` are its features without a direction."""
    table = parquet.read_table(path)
    metadata = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
    contract = {
        "name": metadata["foretick.pipeline"],
        "features": json.loads(metadata["foretick.features"]),
        "features_sha256": metadata["foretick.features_sha256"],
        "labels": json.loads(metadata["foretick.labels"]),
        "steps": int(metadata["foretick.steps"]),
        "horizon_ms": int(metadata["foretick.horizon_ms"]),
        "threshold_bps": float(metadata["foretick.threshold_bps"]),
        "test_from": json.loads(metadata["foretick.set"])["split"]["test_from"],
        "unsigned": unsigned,
    }
    column = lambda name: table.column(name).to_numpy()
    instrument, ts_event = column("instrument").astype(str), column("ts_event").astype("datetime64[ns]").astype(np.int64)
    # The export follows the labels' order; a stable sort leaves rows of one moment as they came.
    order = np.lexsort((np.arange(len(ts_event)), ts_event, instrument))
    code = {name: at for at, name in enumerate(contract["labels"])}
    return Rows(
        contract=contract,
        instrument=instrument[order],
        ts_event=ts_event[order],
        ok=(column("quality") == "ok")[order],
        cells=np.stack([column(name) for name in contract["features"]], axis=1)[order],
        # Not to_numpy(), which makes some word of a null in a dictionary.
        label=np.array([code.get(label, -1) for label in table.column("label").to_pylist()])[order],
        split=column("split").astype(str)[order],
    )


def whole(rows, gap_ns=GAP_NS):
    """Which rows end a window of one instrument, without a gap in time and with good quality."""
    steps = rows.contract["steps"]
    adjacent = (rows.instrument[1:] == rows.instrument[:-1]) & (np.diff(rows.ts_event) <= gap_ns)
    run = np.zeros(len(rows.ts_event), dtype=int)  # good rows in a piece, up to and with this one
    for at in range(len(run)):
        joined = at > 0 and adjacent[at - 1]
        run[at] = (run[at - 1] + 1 if joined else 1) if rows.ok[at] else 0
    return run >= steps


def divide(rows):
    """Train, validation and test. No label reaches over a border, and no window does."""
    usable = whole(rows) & (rows.label >= 0)
    training = usable & (rows.split == "train")
    # Of all rows before the test, also of those that are excluded for what their windows or labels lack.
    test_from = np.datetime64(rows.contract["test_from"].rstrip("Z"), "ns").astype(np.int64)
    before = rows.ts_event[rows.ts_event + rows.contract["horizon_ms"] * 1_000_000 < test_from]
    first, last = before.min(), before.max()
    border = last - int(VALIDATION_SHARE * (last - first))
    early = rows.ts_event + rows.contract["horizon_ms"] * 1_000_000 < border
    begins = np.roll(rows.ts_event, rows.contract["steps"] - 1)  # when the window's first row was
    return Split(
        train=np.flatnonzero(training & early),
        validation=np.flatnonzero(training & (begins >= border)),
        test=np.flatnonzero(usable & (rows.split == "test")),
    )


def normalisation(rows, ends):
    """Mean and standard deviation of each feature over the rows and their mirror images."""
    cells = rows.cells[ends]
    mean = np.where(signs(rows) < 0, 0.0, cells.mean(axis=0))
    return mean, np.sqrt(((cells - mean) ** 2).mean(axis=0))


def windows(rows, ends, mean=0.0, std=1.0):
    """Windows [N, T, F] in single precision: normalised as networks take them, or as rows are, as the file does."""
    scaled = ((rows.cells - mean) / std).astype(np.float32)
    steps = rows.contract["steps"]
    return scaled[ends[:, None] + np.arange(1 - steps, 1)]


def tenths(values, last=9):
    """The 10, 20, … % points along the first axis, up to the last of so many tenths."""
    return np.quantile(values, np.arange(1, last + 1) / 10, axis=0)


def weights(rows, ends):
    """Lets the classes of an instrument count alike: how often the mid rests is the hour's, not the rows'."""
    _, instrument = np.unique(rows.instrument[ends], return_inverse=True)
    group = instrument * len(rows.contract["labels"]) + rows.label[ends]
    each = 1 / np.bincount(group)[group]
    return (each / each.mean()).astype(np.float32)


def mirrored(rows, cut, labels, weight):
    """Windows, labels and weights, and all again with buyers for sellers, so that no drift is learnt."""
    turned = cut * signs(rows).astype(np.float32), len(rows.contract["labels"]) - 1 - labels, weight
    return tuple(np.concatenate(both) for both in zip((cut, labels, weight), turned))


def parts(rows, split, normalise):
    """Windows, labels and weights of training, with its mirror images, of validation and of the test."""
    part = lambda ends: (windows(rows, ends, *normalise), rows.label[ends], weights(rows, ends))
    train, validation, test = map(part, (split.train, split.validation, split.test))
    return mirrored(rows, *train), validation, test


def signs(rows):
    """What mirroring multiplies each feature by."""
    return np.array([1 if name in rows.contract["unsigned"] else -1 for name in rows.contract["features"]])


def digest(rows, ends):
    """SHA-256 of the training rows: times, cells and labels, in little-endian bytes."""
    sha256 = hashlib.sha256()
    for column in (rows.ts_event[ends], rows.cells[ends], rows.label[ends]):
        sha256.update(np.ascontiguousarray(column).astype(column.dtype.newbyteorder("<")).tobytes())
    return sha256.hexdigest()
