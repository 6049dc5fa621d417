"""Ticks of five sessions to training windows: exports the rows, splits them by session, cuts windows.

Computes no feature and no label: `foretick features` does both, with the code that runs live. What is not of
sessions is that of the crypto pipeline, in ../../train.
"""

import datetime
import os
import sys
import tomllib
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

PIPELINE = Path(__file__).resolve().parents[1]
ROOT = PIPELINE.parents[2]
OUT = ROOT / "out" / "price-direction-ibm"
sys.path.append(str(PIPELINE.parent / "train"))

import prepare  # noqa: E402, of ../../train

RECIPE = tomllib.loads((PIPELINE / "train" / "recipe.toml").read_text())
SESSIONS = RECIPE["sessions"]
NEW_YORK = ZoneInfo("America/New_York")
# Features without a direction. All others change sign when buyers and sellers change places.
UNSIGNED = {"spread", "volatility_120s", "trades_per_s", "session"}


def days(*parts):
    """The days of some parts of the week."""
    return [day for part in parts for day in SESSIONS[part]]


def archives(*parts):
    """Paths of quotes and trades; FORETICK_DATA names the folder of data."""
    data = Path(os.environ.get("FORETICK_DATA", ROOT / "../shared/data")).resolve()
    names = [f"{day.replace('-', '')}_{kind}.zip" for day in days(*parts) for kind in ("quote", "trade")]
    paths = [data / "equities" / "ibm-ticks" / name for name in names]
    for path in paths:
        if not path.is_file():
            raise SystemExit(f"while looking for ticks: {path} is not there; set FORETICK_DATA to the data folder")
    return paths


def bounds(day):
    """When trading begins and ends on a day, in nanoseconds."""
    at = lambda time: datetime.datetime.fromisoformat(f"{day}T{SESSIONS[time]}").replace(tzinfo=NEW_YORK)
    return [int(at(time).timestamp()) * 10**9 for time in ("from", "to")]


def export():
    """Has the engine write the rows of all sessions to out/, and reads them."""
    OUT.mkdir(parents=True, exist_ok=True)
    path = OUT / "rows.parquet"
    ticks = archives("train", "choose", "report")
    # Any model serves: the rows do not depend on it, and there may be none yet.
    no_model = ["--set", "model.kind=sum", "--set", "model.normalise=none"]
    prepare.foretick("features", PIPELINE, "--input", *ticks, "--output", path, "--force", "--json", *no_model)
    return prepare.read(path, UNSIGNED)


def divide(rows):
    """Last rows of windows: train, validation (the session that chooses) and test (the one that is reported).

    A window lies within one session, so that no label and no window reaches into another part.
    """
    usable = prepare.whole(rows, SESSIONS["max_gap_ms"] * 10**6) & (rows.label >= 0)
    begins = np.roll(rows.ts_event, rows.contract["steps"] - 1)

    def within(*parts):
        inside = np.zeros(len(usable), dtype=bool)
        for first, end in map(bounds, days(*parts)):
            inside |= (begins >= first) & (rows.ts_event < end)
        return np.flatnonzero(usable & inside)

    return prepare.Split(
        train=within("train")[:: SESSIONS["stride"]],
        validation=within("choose")[:: SESSIONS["stride"]],
        test=within("report"),
    )
