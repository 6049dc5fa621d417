#!/usr/bin/env python3
"""Writes vectors.json: features and labels of small series as pandas and polars compute them, the undefined cases
included.

    pip install pandas==2.2.3 polars==1.17.1
    python tests/given/features/vectors.py > tests/given/features/vectors.json

`tests/field/features.rs` replays the events and compares. `null` says that there is no row.
"""
import itertools
import json
import math

import numpy as np
import pandas as pd
import polars as pl

START = 1_700_000_000_000_000_000
SECOND = 1_000_000_000


def numbers(values):
    return [None if not math.isfinite(value) else float(value) for value in values]


def bars():
    """Minute bars whose volume is missing at one place and zero at another."""
    close = [10.0, 10.5, 10.25, 11.0, 10.75, 10.0, 9.5, 9.75, 9.9, 10.1, 10.05, 10.3, 10.6, 10.2, 10.4, 10.45]
    volume = [100, 120, 0, 110, 130, 125, 140, None, 90, 95, 105, 100, 115, 120, 98, 102]
    events, at = [], []
    for number, (last, shares) in enumerate(zip(close, volume)):
        ts = START + number * 60 * SECOND
        bar = {"ts_event": ts, "symbol": "A.X", "open": last - 0.1, "high": last + 0.2, "low": last - 0.3, "close": last}
        if shares is not None:
            bar["volume"] = shares
        events.append(bar)
        at.append(ts)
    frame = pd.DataFrame({"close": close, "volume": pd.array(volume, dtype="Float64").to_numpy(float, na_value=np.nan)})
    frame["low"] = frame["close"] - 0.3
    with np.errstate(all="ignore"):
        returns = np.log(frame["volume"] / frame["volume"].shift())
    returns = returns.replace([np.inf, -np.inf], np.nan)
    of_volume = 'name = "r"\nkind = "log_return"\nof = "volume"\nhidden = true\n'
    cases = [
        ("log_return of close", 'kind = "log_return"\nof = "close"', "", np.log(frame["close"]).diff()),
        ("log_return of volume", 'kind = "log_return"\nof = "volume"', "", returns),
        ("volume", 'kind = "volume"', "", frame["volume"]),
        ("relative", 'kind = "relative"\nof = "close"\nto = "low"', "", frame["close"] / frame["low"] - 1),
        (
            "relative of an undefined return",
            'kind = "relative"\nof = "close"\nto = "r"',
            of_volume,
            (frame["close"] / returns - 1).where(returns.notna()),
        ),
        ("ema of close", 'kind = "ema"\nof = "close"\nalpha = 0.3', "", frame["close"].ewm(alpha=0.3, adjust=False).mean()),
        (
            "ema of returns of volume",
            'kind = "ema"\nof = "r"\nalpha = 0.3',
            of_volume,
            returns.ewm(alpha=0.3, adjust=False, ignore_na=True).mean().where(returns.notna()),
        ),
    ]
    for window in (1, 3, 4):
        for kind, of in (("mean", lambda x: x.mean()), ("std", lambda x: x.std(ddof=0)), ("min", lambda x: x.min()),
                         ("max", lambda x: x.max()), ("sum", lambda x: x.sum())):
            for source, hidden, series in (("close", "", frame["close"]), ("volume", "", frame["volume"]),
                                           ("r", of_volume, returns)):
                feature = f'kind = "{kind}"\nof = "{source}"\nwindow = {window}'
                cases.append((f"{kind} of {source} by {window}", feature, hidden, of(series.rolling(window))))
        squares = (returns**2).rolling(window).sum() ** 0.5
        cases.append((f"volatility by {window}", f'kind = "realised_volatility"\nof = "r"\nwindow = {window}', of_volume, squares))
    return {"on": "bar", "events": events, "cases": [
        {"name": name, "feature": feature, "hidden": hidden, "expected": numbers(series)} for name, feature, hidden, series in cases
    ]}


def trades():
    """Trades with equal times and with pauses that empty the windows."""
    millis = [0, 100, 100, 250, 900, 1000, 1001, 1500, 4000, 4000, 4000, 4700, 5000, 9000, 9999, 10999]
    prices = [100.0, 101.0, 100.5, 99.75, 100.25, 100.5, 101.5, 101.0, 102.0, 101.75, 102.5, 101.0, 100.0, 99.0, 98.5, 98.75]
    sizes = [1.0, 2.0, 0.5, 1.5, 3.0, 1.0, 0.25, 2.0, 1.0, 4.0, 0.5, 1.0, 2.0, 1.0, 0.75, 1.25]
    sides = ["buy", "sell", "buy", "buy", "sell", "sell", "buy", "sell", "buy", "buy", "sell", "buy", "sell", "sell", "buy", "buy"]
    events = [
        {"ts_event": START + ms * 1_000_000, "symbol": "A.X", "price": price, "size": size, "side": side}
        for ms, price, size, side in zip(millis, prices, sizes, sides)
    ]
    index = pd.to_datetime([event["ts_event"] for event in events])
    frame = pd.DataFrame({"price": prices, "size": sizes, "sign": [1 if side == "buy" else -1 for side in sides]}, index=index)
    frame["signed"] = frame["size"] * frame["sign"]

    def windowed(series, window, of):
        """pandas' windows (t - w, t] end with the last row of equal times; ours with each row in turn."""
        out = []
        for at in range(len(series)):
            part = series.iloc[: at + 1]
            out.append(of(part.rolling(window)).iloc[-1])
        return pd.Series(out)

    cases = []
    for window, millis_of in (("1s", 1000), ("250ms", 250)):
        for kind, of in (("mean", lambda x: x.mean()), ("std", lambda x: x.std(ddof=0)), ("min", lambda x: x.min()),
                         ("max", lambda x: x.max()), ("sum", lambda x: x.sum())):
            cases.append((f"{kind} by {window}", f'kind = "{kind}"\nof = "price"\nwindow_ms = {millis_of}', windowed(frame["price"], window, of)))
        count = windowed(frame["price"], window, lambda x: x.count())
        cases.append((f"intensity by {window}", f'kind = "trade_intensity"\nwindow_ms = {millis_of}', count / (millis_of / 1000)))
        notional = windowed(frame["price"] * frame["size"], window, lambda x: x.sum())
        volume = windowed(frame["size"], window, lambda x: x.sum())
        signed = windowed(frame["signed"], window, lambda x: x.sum())
        last = pd.Series(prices)
        cases.append((f"vwap by {window}", f'kind = "vwap_deviation"\nwindow_ms = {millis_of}', last / (notional / volume) - 1))
        cases.append((f"flow by {window}", f'kind = "trade_flow"\nwindow_ms = {millis_of}', signed / volume))
    # polars agrees with pandas on windows by count of trades.
    table = pl.DataFrame({"price": prices, "notional": [p * s for p, s in zip(prices, sizes)], "size": sizes, "signed": list(frame["signed"])})
    for window in (3, 5):
        rolled = table.select(
            mean=pl.col("price").rolling_mean(window, min_periods=1),
            std=pl.col("price").rolling_std(window, min_periods=1, ddof=0),
            notional=pl.col("notional").rolling_sum(window, min_periods=1),
            size=pl.col("size").rolling_sum(window, min_periods=1),
            signed=pl.col("signed").rolling_sum(window, min_periods=1),
        )
        warm = [math.nan if at + 1 < window else 1.0 for at in range(len(prices))]
        mask = lambda series: pd.Series(series.to_list()) * pd.Series(warm)
        cases.append((f"mean by {window} trades", f'kind = "mean"\nof = "price"\nwindow = {window}', mask(rolled["mean"])))
        cases.append((f"std by {window} trades", f'kind = "std"\nof = "price"\nwindow = {window}', mask(rolled["std"])))
        vwap = table["price"] / (rolled["notional"] / rolled["size"]) - 1
        cases.append((f"vwap by {window} trades", f'kind = "vwap_deviation"\nwindow = {window}', mask(vwap)))
        cases.append((f"flow by {window} trades", f'kind = "trade_flow"\nwindow = {window}', mask(rolled["signed"] / rolled["size"])))
        passed = pd.Series(millis).diff(window - 1) / 1000
        rate = ((window - 1) / passed).replace([np.inf], np.nan)
        cases.append((f"intensity by {window} trades", f'kind = "trade_intensity"\nwindow = {window}', rate))
    passed = pd.Series(millis).diff().to_numpy() / 1000
    cases.append(("inter-arrival", 'kind = "inter_arrival"', pd.Series(passed)))
    half = 0.5
    average, averages = prices[0], []
    for price, seconds in zip(prices, [0.0, *passed[1:]]):
        average += (1 - 0.5 ** (seconds / half)) * (price - average)
        averages.append(average)
    cases.append(("ema by half-life", 'kind = "ema"\nof = "price"\nhalf_life_ms = 500', pd.Series(averages)))
    return {"on": "trade", "events": events, "cases": [
        {"name": name, "feature": feature, "hidden": "", "expected": numbers(series)} for name, feature, series in cases
    ]}


def quotes():
    """Quotes whose sides are withdrawn at times; then a row has no feature that needs the side."""
    rng = np.random.default_rng(5)
    count = 40
    millis = np.cumsum(rng.integers(0, 1500, count))
    mid = 100 + np.cumsum(rng.normal(0, 0.05, count))
    frame = pd.DataFrame({
        "ts_event": START + millis * 1_000_000,
        "bid_px": np.round(mid - rng.uniform(0.01, 0.05, count), 4),
        "bid_sz": np.round(rng.uniform(0.1, 5, count), 3),
        "ask_px": np.round(mid + rng.uniform(0.01, 0.05, count), 4),
        "ask_sz": np.round(rng.uniform(0.1, 5, count), 3),
    })
    frame.loc[[7, 21, 22], ["bid_px", "bid_sz"]] = np.nan
    frame.loc[[13, 22, 30], ["ask_px", "ask_sz"]] = np.nan
    events = [
        {key: None if value != value else int(value) if key == "ts_event" else value for key, value in row.items()} | {"symbol": "A.X"}
        for row in frame.to_dict("records")
    ]
    total = frame["bid_sz"] + frame["ask_sz"]
    middle = (frame["bid_px"] + frame["ask_px"]) / 2
    weighted = (frame["ask_px"] * frame["bid_sz"] + frame["bid_px"] * frame["ask_sz"]) / total
    day = pd.to_datetime(frame["ts_event"])
    angle = 2 * np.pi * (day - day.dt.normalize()).dt.total_seconds() / 86_400
    spread = frame["ask_px"] - frame["bid_px"]
    cases = [
        ("mid", 'kind = "mid"', middle),
        ("spread", 'kind = "spread"\nunit = "price"', spread),
        ("spread in bps", 'kind = "spread"\nunit = "bps"', 1e4 * spread / middle),
        ("microprice", 'kind = "microprice"\nunit = "price"', weighted),
        ("microprice in bps", 'kind = "microprice"\nunit = "bps"', 1e4 * (weighted - middle) / middle),
        ("queue imbalance", 'kind = "queue_imbalance"', (frame["bid_sz"] - frame["ask_sz"]) / total),
        ("sine of the day", 'kind = "time_of_day"', np.sin(angle)),
        ("cosine of the day", 'kind = "time_of_day"\nphase = "cosine"', np.cos(angle)),
    ]
    return {"on": "quote", "events": events, "cases": [
        {"name": name, "feature": feature, "hidden": "", "expected": numbers(series)} for name, feature, series in cases
    ]}


def books():
    """Changes of a book of three levels a side, one side empty at times; the book is a table of polars."""
    rng = np.random.default_rng(6)
    events, tops = [], []
    held = pl.DataFrame(schema={"bid": pl.Boolean, "price": pl.Float64, "size": pl.Float64})
    for number in range(1, 41):
        changes = []
        for is_bid in (True, False):
            if number == 1:
                changes += [(is_bid, 99.0 - at if is_bid else 101.0 + at, 1.0 + at) for at in range(3)]
            elif number == 20 and is_bid:
                changes += [(True, price, 0.0) for price in held.filter(pl.col("bid"))["price"]]
            else:
                for price in rng.choice(np.arange(95.0, 100.0) if is_bid else np.arange(101.0, 106.0), 2, replace=False):
                    changes.append((is_bid, float(price), float(np.round(rng.choice([0, 1, 1, 1]) * rng.uniform(0.1, 4), 2))))
        held = pl.concat([held, pl.DataFrame(changes, schema=held.schema, orient="row")])
        held = held.unique(["bid", "price"], keep="last").filter(pl.col("size") > 0)
        top = lambda is_bid: held.filter(pl.col("bid") == is_bid).sort("price", descending=is_bid).head(2).rows()
        tops.append((top(True), top(False)))
        side = lambda is_bid: [[price, size] for bid, price, size in changes if bid == is_bid]
        events.append({
            "ts_event": START + number * SECOND, "symbol": "A.X", "first_sequence": number, "sequence": number,
            "snapshot": number == 1, "bids": side(True), "asks": side(False),
        })
    sizes = [tuple(sum(size for *_, size in side) for side in pair) for pair in tops]
    imbalance = [(bid - ask) / (bid + ask) if bid and ask else math.nan for bid, ask in sizes]

    def added(before, after, sign):
        """Cont, Kukanov and Stoikov's flow of one side, level by level; `sign` is 1 for bids. A level that is missing
        has the worst price and no size."""
        missing = (None, -sign * math.inf, 0.0)
        flow = 0.0
        for (_, price, size), (_, next_price, next_size) in itertools.zip_longest(before, after, fillvalue=missing):
            better = sign * (next_price - price)
            flow += next_size if better > 0 else -size if better < 0 else next_size - size
        return flow

    flows = [math.nan]
    for (bids, asks), (next_bids, next_asks) in zip(tops, tops[1:]):
        flows.append(added(bids, next_bids, 1) - added(asks, next_asks, -1))
    cases = [
        ("queue imbalance of two levels", 'kind = "queue_imbalance"\nlevels = 2', numbers(pd.Series(imbalance))),
        ("flow of two levels", 'kind = "order_flow_imbalance"\nlevels = 2', flows),
    ]
    return {"on": "book", "events": events, "cases": [
        {"name": name, "feature": feature, "hidden": "", "expected": [None if x != x else x for x in series]}
        for name, feature, series in cases
    ]}


def labels():
    """Moves of the mid over the horizon: pandas' `merge_asof` finds the mid that was known at its end."""
    rng = np.random.default_rng(7)
    horizon, silence, threshold, count = 2_000, 4_000, 3.0, 160
    millis = np.cumsum(rng.choice([0, 100, 350, 600, 1_000, 2_000, 4_500], count, p=[0.1, 0.2, 0.2, 0.25, 0.15, 0.06, 0.04]))
    mid = 100 + np.cumsum(rng.normal(0, 0.03, count))
    frame = pd.DataFrame({"ms": millis, "bid_px": np.round(mid - 0.02, 3), "ask_px": np.round(mid + 0.02, 3)})
    frame.loc[rng.choice(count, 6, replace=False), "ask_px"] -= 0.1  # crossed
    frame.loc[rng.choice(count, 6, replace=False), "bid_px"] = np.nan  # withdrawn
    events = [
        {"ts_event": START + int(row.ms) * 1_000_000, "symbol": "A.X",
         "bid_px": None if math.isnan(row.bid_px) else row.bid_px, "bid_sz": None if math.isnan(row.bid_px) else 1,
         "ask_px": row.ask_px, "ask_sz": 1}
        for row in frame.itertuples()
    ]
    frame["mid"] = ((frame["bid_px"] + frame["ask_px"]) / 2).where(frame["bid_px"] < frame["ask_px"])
    frame["due"] = frame["ms"] + horizon
    known = frame[["ms", "mid"]].rename(columns={"ms": "at", "mid": "later"})
    frame = pd.merge_asof(frame, known, left_on="due", right_on="at", direction="backward")
    frame["move_bps"] = 1e4 * (frame["later"] / frame["mid"] - 1)
    # No label where the end was not reached, or a silence lies in the horizon or after its end.
    reached = frame["due"] < frame["ms"].iloc[-1]
    for before, after in zip(frame["ms"], frame["ms"][1:]):
        if after - before > silence:
            reached &= ~((frame["due"] >= before) & (frame["ms"] < after))
    moves = frame["move_bps"].where(reached)
    names = np.select([moves.isna(), moves > threshold, moves < -threshold], [None, "up", "down"], "flat")
    return {
        "on": "quote", "events": events, "horizon_ms": horizon, "max_gap_ms": silence, "threshold_bps": threshold,
        "labels": [
            {"ts_event": START + int(ms) * 1_000_000, "move_bps": None if math.isnan(move) else move, "label": name}
            for ms, move, name, bid in zip(frame["ms"], moves, names, frame["bid_px"]) if not math.isnan(bid)
        ],
    }


print(json.dumps([bars(), trades(), quotes(), books(), labels()], indent=0))
