"""Trades of a Parquet file through the eight features of the common job, side by side with other readers of it.

Measures CPU seconds (user + system) per million trades, each program alone on one core, in turns. The file is the
common job's input as polars or pandas would write it: float64 prices, UTC timestamps, symbols as a dictionary.
Start-up is measured on a file of no rows, and taken off.

    python bench/archives.py [--ticks N] [--rounds N] [--core N]

FORETICK        the binary, target/release/foretick
FORETICK_PEERS  the folder with the job's other implementations, ../shared/peers; it is only read
"""

import argparse
import os
import runpy
import subprocess
import sys
from pathlib import Path

import common_job

ROOT = common_job.ROOT
OUT = common_job.OUT
PEERS = common_job.PEERS


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--ticks", type=int, default=1_000_000)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--core", default="1")
    arguments.add_argument("--peer", nargs=2, help=argparse.SUPPRESS)
    options = arguments.parse_args()
    if options.peer:
        name, path = options.peer
        return PEERS_HERE[name](Path(path))
    OUT.mkdir(parents=True, exist_ok=True)
    lines = common_job.make_input(options.ticks)
    table, empty = as_parquet(lines), OUT / "no-ticks.parquet"
    programs = {"foretick, Parquet": replay(table), "foretick, JSON lines": replay(lines)}
    starts = {"foretick, Parquet": replay(empty), "foretick, JSON lines": replay(empty)}
    for name in PEERS_HERE:
        programs[name], starts[name] = peer(name, table), peer(name, empty)
    seconds = common_job.in_turns(programs, options)
    idle = common_job.in_turns(starts, options)
    print(f"{'':24}{'CPU s per million':>18}{'start-up s':>12}{'million a CPU s':>17}")
    for name, rounds in seconds.items():
        start = min(idle[name])
        each = (min(rounds) - start) * 1e6 / options.ticks
        print(f"{name:24}{each:18.3f}{start:12.3f}{1 / each:17.2f}")


def replay(path):
    pipeline = ROOT / "bench" / "pipelines" / "common-job-a"
    # A file without a row is an exit code of 1, which is no failure here.
    command = [common_job.FORETICK, "replay", pipeline, "--input", path]
    return ["sh", "-c", '"$@" > /dev/null 2>&1 || [ $? = 1 ]', "sh", *command]


def peer(name, path):
    return [sys.executable, __file__, "--peer", name, path]


def as_parquet(lines):
    """The ticks as Parquet, and a file with the same columns and no row."""
    import polars as pl

    path, empty = lines.with_suffix(".parquet"), OUT / "no-ticks.parquet"
    if not path.exists() or not empty.exists():
        table = pl.read_ndjson(lines).with_columns(
            pl.col("ts_event").cast(pl.Datetime("ns", "UTC")),
            pl.col("symbol").cast(pl.Categorical),
            pl.col("side").cast(pl.Categorical),
        )
        table.write_parquet(path, compression="snappy")
        table.clear().write_parquet(empty, compression="snappy")
    return path


def polars(path):
    """The peers' polars job over the whole file at once, without its output."""
    import polars as pl

    table = pl.read_parquet(path).with_columns(
        pl.col("ts_event").cast(pl.Int64), pl.col("symbol").cast(pl.String), pl.col("side").cast(pl.String)
    )
    pl.read_ndjson = lambda *_, **__: table
    pl.DataFrame.write_ndjson = lambda frame, *_: print(frame["value"].sum())
    run_peer("p_polars.py", ["A", str(path), ""])


def numba(path):
    """The peers' numba kernel in one compiled loop over the trades of each symbol."""
    import numba as nb
    import numpy as np
    import polars as pl

    sys.path.insert(0, str(PEERS / "src"))
    from common import _make_nb

    kernel = _make_nb()

    @nb.njit
    def all_of(time, price, size, buys):
        state = (np.zeros(7), np.zeros(4, np.int64), np.zeros(65536), np.zeros(65536, np.int64), np.zeros(100))
        rings = (np.zeros(100), np.zeros(100), np.zeros(100), np.zeros(8), np.zeros(8))
        window, out, total = np.zeros((100, 8), np.float32), np.zeros(8), 0.0
        for at in range(len(time)):
            if kernel(*state, *rings, window, out, time[at], price[at], size[at], buys[at]) > 0:
                total += out.sum()
        return total

    table = pl.read_parquet(path)
    columns = (pl.col("ts_event").cast(pl.Int64), "price", "size", pl.col("side").cast(pl.String) == "buy")
    one = table.head(0).select(*columns).to_dict(as_series=False)
    all_of(np.array(one["ts_event"], np.int64), np.zeros(0), np.zeros(0), np.zeros(0, np.bool_))
    groups = table.group_by("symbol").agg(*columns)
    print(sum(all_of(*(row[at].to_numpy() for at in range(1, 5))) for row in series_of(groups)))


def series_of(groups):
    """The rows of a frame of lists, with each list as a series."""
    for at in range(len(groups)):
        yield [groups[name][at] for name in groups.columns]


def hftbacktest(path):
    """Conversion into hftbacktest's events, and its replay of them; no feature is computed."""
    import hftbacktest as hft
    import numpy as np
    import polars as pl
    from numba import njit

    table = pl.read_parquet(path)
    events = np.zeros(max(len(table), 1), hft.event_dtype)
    kind = hft.TRADE_EVENT | hft.EXCH_EVENT | hft.LOCAL_EVENT
    if len(table):
        is_buy = (table["side"].cast(pl.String) == "buy").to_numpy()
        events["ev"] = kind | np.where(is_buy, hft.BUY_EVENT, hft.SELL_EVENT)
        events["exch_ts"] = table["ts_event"].cast(pl.Int64).to_numpy()
        events["local_ts"] = events["exch_ts"] + 1000
        events["px"], events["qty"] = table["price"].to_numpy(), table["size"].to_numpy()
    else:
        events["ev"], events["exch_ts"], events["local_ts"], events["px"], events["qty"] = kind, 1, 1001, 1.0, 1.0
    asset = hft.BacktestAsset().data([events]).linear_asset(1.0).constant_order_latency(10_000, 10_000)
    asset = asset.risk_adverse_queue_model().no_partial_fill_exchange().trading_value_fee_model(0.0, 0.0)
    asset = asset.tick_size(1e-7).lot_size(0.001).last_trades_capacity(100_000)

    @njit
    def run(market):
        seen, value = 0, 0.0
        while market.wait_next_feed(False, 10_000_000_000_000) == 2:
            for trade in market.last_trades(0):
                value += trade.px * trade.qty
                seen += 1
            market.clear_last_trades(0)
        return seen, value

    print(run(hft.HashMapMarketDepthBacktest([asset])))


def run_peer(name, arguments):
    sys.path.insert(0, str(PEERS / "src"))
    sys.argv = [name, *arguments]
    runpy.run_path(str(PEERS / "src" / name), run_name="__main__")


PEERS_HERE = {"polars": polars, "numba": numba, "hftbacktest": hftbacktest}

if __name__ == "__main__":
    sys.exit(main())
