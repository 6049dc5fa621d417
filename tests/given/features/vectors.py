#!/usr/bin/env python3
"""Writes vectors.json: features and labels of small series as pandas, polars, numpy and TA-Lib compute them, the
undefined cases included.

    pip install pandas==2.2.3 polars==1.17.1 numpy==2.2.1 TA-Lib==0.8.2
    python tests/given/features/vectors.py > tests/given/features/vectors.json

`tests/field/features.rs` replays the events and compares. `null` says that there is no row.
"""
import itertools
import json
import math

import numpy as np
import pandas as pd
import polars as pl
import talib

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
    for periods in (1, 2, 5):
        keys = f'of = "close"\nperiods = {periods}'
        cases.append((f"log_return over {periods}", f'kind = "log_return"\n{keys}', "", np.log(frame["close"]).diff(periods)))
        cases.append((f"difference over {periods}", f'kind = "difference"\n{keys}', "", frame["close"].diff(periods)))
        # The return over a missing or a zero volume is undefined; those between do not count.
        with np.errstate(all="ignore"):
            over = np.log(frame["volume"] / frame["volume"].shift(periods)).replace([np.inf, -np.inf], np.nan)
        keys = f'of = "volume"\nperiods = {periods}'
        cases.append((f"log_return of volume over {periods}", f'kind = "log_return"\n{keys}', "", over))
        cases.append((f"difference of volume over {periods}", f'kind = "difference"\n{keys}', "", frame["volume"].diff(periods)))
    for window in (1, 3, 4):
        for kind, of in (("mean", lambda x: x.mean()), ("std", lambda x: x.std(ddof=0)), ("min", lambda x: x.min()),
                         ("max", lambda x: x.max()), ("sum", lambda x: x.sum())):
            for source, hidden, series in (("close", "", frame["close"]), ("volume", "", frame["volume"]),
                                           ("r", of_volume, returns)):
                feature = f'kind = "{kind}"\nof = "{source}"\nwindow = {window}'
                cases.append((f"{kind} of {source} by {window}", feature, hidden, of(series.rolling(window))))
        for source, hidden, series in (("close", "", frame["close"]), ("volume", "", frame["volume"]), ("r", of_volume, returns)):
            rolling = series.rolling(window)
            for ddof in (0, 1):
                if window <= ddof:
                    continue
                keys = f'of = "{source}"\nwindow = {window}\nddof = {ddof}'
                std = rolling.std(ddof=ddof)
                cases.append((f"std of {source} by {window} less {ddof}", f'kind = "std"\n{keys}', hidden, std))
                cases.append((f"variance of {source} by {window} less {ddof}", f'kind = "variance"\n{keys}', hidden, rolling.var(ddof=ddof)))
                if window > 1:
                    scores = (series - rolling.mean()) / std
                    cases.append((f"z-score of {source} by {window} less {ddof}", f'kind = "z_score"\n{keys}', hidden, scores))
            keys = f'of = "{source}"\nwindow = {window}'
            cases.append((f"rank of {source} by {window}", f'kind = "rank"\n{keys}', hidden, rolling.rank(pct=True)))
            if window > 2:
                cases.append((f"skew of {source} by {window}", f'kind = "skew"\n{keys}', hidden, rolling.skew()))
        squares = (returns**2).rolling(window).sum() ** 0.5
        cases.append((f"volatility by {window}", f'kind = "realised_volatility"\nof = "r"\nwindow = {window}', of_volume, squares))
    return {"on": "bar", "events": events, "cases": [
        {"name": name, "feature": feature, "hidden": hidden, "expected": numbers(series)} for name, feature, hidden, series in cases
    ]}


def ranges():
    """Minute bars of any shape, for what is made of open, high, low and close; TA-Lib has Wilder's."""
    rng = np.random.default_rng(9)
    count = 60
    path = 50 * np.exp(np.cumsum(rng.normal(0, 0.004, (count, 8)).ravel()).reshape(count, 8))
    path = np.round(path, 3)
    frame = pd.DataFrame({"open": path[:, 0], "high": path.max(axis=1), "low": path.min(axis=1), "close": path[:, -1]})
    events = [
        {"ts_event": START + at * 60 * SECOND, "symbol": "A.X", **row}
        for at, row in enumerate(frame.to_dict("records"))
    ]
    open_, high, low, close = (frame[key] for key in ("open", "high", "low", "close"))
    returns = np.log(close).diff()
    of_close = 'name = "r"\nkind = "log_return"\nof = "close"\nhidden = true\n'
    parkinson = np.log(high / low) ** 2 / (4 * np.log(2))
    garman_klass = 0.5 * np.log(high / low) ** 2 - (2 * np.log(2) - 1) * np.log(close / open_) ** 2
    cases = []
    for window in (1, 5, 20):
        for name, variance in (("parkinson", parkinson), ("garman_klass", garman_klass)):
            keys = f'kind = "range_volatility"\nestimator = "{name}"\nwindow = {window}'
            cases.append((f"{name} by {window}", keys, "", variance.rolling(window).mean() ** 0.5))
        if window > 1:
            products = (returns.abs() * returns.shift().abs()).rolling(window - 1).sum()
            keys = f'kind = "bipower_variation"\nof = "r"\nwindow = {window}'
            cases.append((f"bipower by {window}", keys, of_close, np.pi / 2 * products))
    for periods in (3, 14):
        wilders = talib.ATR(high.to_numpy(), low.to_numpy(), close.to_numpy(), timeperiod=periods)
        cases.append((f"atr over {periods}", f'kind = "atr"\nperiods = {periods}', "", wilders))
        strength = talib.RSI(close.to_numpy(), timeperiod=periods)
        cases.append((f"rsi over {periods}", f'kind = "rsi"\nof = "close"\nperiods = {periods}', "", strength))
    cases.append(("atr", 'kind = "atr"', "", talib.ATR(high.to_numpy(), low.to_numpy(), close.to_numpy(), timeperiod=14)))
    return {"on": "bar", "events": events, "cases": [
        {"name": name, "feature": feature, "hidden": hidden, "expected": numbers(series)} for name, feature, hidden, series in cases
    ]}


def sessions():
    """Bars every 100 minutes over the days in which the clocks of New York went forward, weekend left out."""
    times = pd.date_range("2026-03-05T06:00Z", "2026-03-11T06:00Z", freq="100min")
    times = times[(times.tz_convert("America/New_York").dayofweek < 5)]
    rng = np.random.default_rng(11)
    close = np.round(100 * np.exp(np.cumsum(rng.normal(0, 0.01, len(times)))), 3)
    events = [
        {"ts_event": int(ts.value), "symbol": "A.X", "open": last, "high": last, "low": last, "close": last}
        for ts, last in zip(times, close)
    ]
    price = pd.Series(close)
    cases = []
    for zone, open_ in (("America/New_York", "00:00"), ("America/New_York", "09:30"), ("America/Chicago", "17:00"), ("UTC", "00:00")):
        local = times.tz_convert(zone).tz_localize(None)
        day = pd.Series((local - pd.Timedelta(open_ + ":00")).normalize())
        keys = f'of = "close"\nzone = "{zone}"\nopen = "{open_}"'
        new = (day != day.shift()).astype(float)
        new[0] = math.nan
        cases.append((f"new session at {open_} in {zone}", f'kind = "new_session"\n{keys}', "", new))
        for periods in (1, 2):
            within = np.log(price).diff(periods).where(day == day.shift(periods))
            change = f'kind = "log_return"\n{keys}\nperiods = {periods}\novernight = "exclude"'
            cases.append((f"return within sessions from {open_} in {zone} over {periods}", change, "", within))
            kept = within.dropna()
            total = kept.rolling(3).sum().reindex(range(len(price))).where(within.notna()).ffill()
            hidden = f'name = "r"\n{change}\nhidden = true\n'
            cases.append((f"sum of 3 of them over {periods}", 'kind = "sum"\nof = "r"\nwindow = 3', hidden, total))
        since = pd.Series((local - local.normalize()).total_seconds())
        cases.append((f"seconds of the day in {zone}", f'kind = "time_of_day"\nphase = "seconds"\nzone = "{zone}"', "", since))
        cases.append((f"sine of the day in {zone}", f'kind = "time_of_day"\nzone = "{zone}"', "", np.sin(2 * np.pi * since / 86_400)))
        begin = pd.Timedelta(open_ + ":00").total_seconds()
        passed = ((since - begin) % 86_400) / ((16 * 3_600 - begin - 1) % 86_400 + 1)
        of_session = f'kind = "session_time"\nzone = "{zone}"\nopen = "{open_}"\nclose = "16:00"'
        cases.append((f"part of a session from {open_} in {zone}", of_session, "", passed))
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
        keys = f'of = "price"\nwindow_ms = {millis_of}'
        mean, std = (windowed(frame["price"], window, of) for of in (lambda x: x.mean(), lambda x: x.std(ddof=0)))
        scores = ((pd.Series(prices) - mean) / std).where(std > 0)
        cases.append((f"z-score by {window}", f'kind = "z_score"\n{keys}', scores))
        cases.append((f"std less 1 by {window}", f'kind = "std"\nddof = 1\n{keys}', windowed(frame["price"], window, lambda x: x.std())))
        cases.append((f"rank by {window}", f'kind = "rank"\n{keys}', windowed(frame["price"], window, lambda x: x.rank(pct=True))))
        skew = windowed(frame["price"], window, lambda x: x.skew())
        cases.append((f"skew by {window}", f'kind = "skew"\n{keys}', skew))
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
    # How the price moves with who trades, trade by trade; numpy's lines through the pairs of a window.
    change = frame["price"].diff()
    hidden = 'name = "c"\nkind = "difference"\nof = "price"\nhidden = true\n'
    of_both = 'of = "c"\nto = "signed_size"'
    pairs = pd.DataFrame({"x": frame["signed"], "y": change})
    for window in (4, 6):
        correlation = change.rolling(window).corr(frame["signed"])
        slope = change.rolling(window).cov(frame["signed"], ddof=0) / frame["signed"].rolling(window).var(ddof=0).where(correlation.notna())
        cases.append((f"correlation by {window}", f'kind = "correlation"\n{of_both}\nwindow = {window}', correlation, hidden))
        cases.append((f"beta by {window}", f'kind = "beta"\n{of_both}\nwindow = {window}', slope, hidden))
        cases.append((f"impact by {window}", f'kind = "kyle_lambda"\nwindow = {window}', slope))
    slopes, correlations = [], []
    for at, now in enumerate(index):
        inside = pairs.iloc[: at + 1]
        inside = inside[inside.index > now - pd.Timedelta("1s")].dropna()
        vary = inside["x"].nunique() > 1
        slopes.append(np.polyfit(inside["x"], inside["y"], 1)[0] if vary else math.nan)
        both = vary and inside["y"].nunique() > 1
        correlations.append(np.corrcoef(inside["x"], inside["y"])[0, 1] if both else math.nan)
    cases.append(("impact by 1s", 'kind = "kyle_lambda"\nwindow_ms = 1000', pd.Series(slopes)))
    cases.append(("correlation by 1s", f'kind = "correlation"\n{of_both}\nwindow_ms = 1000', pd.Series(correlations), hidden))
    # All sizes are whole numbers of quarters: a bucket of 2 has eight of them.
    quarters = np.repeat(frame["sign"].to_numpy(), np.round(np.array(sizes) * 4).astype(int))
    full = len(quarters) // 8
    imbalance = pd.Series(np.abs(quarters[: full * 8].reshape(full, 8).sum(axis=1)) / 8)
    done = (np.cumsum(sizes) / 2).astype(int)
    for window in (1, 3):
        rolled = imbalance.rolling(window).mean()
        known = [rolled[count - 1] if count else math.nan for count in done]
        cases.append((f"vpin by {window}", f'kind = "vpin"\nbucket = 2\nwindow = {window}', pd.Series(known)))
    passed = pd.Series(millis).diff().to_numpy() / 1000
    cases.append(("inter-arrival", 'kind = "inter_arrival"', pd.Series(passed)))
    half = 0.5
    average, averages = prices[0], []
    for price, seconds in zip(prices, [0.0, *passed[1:]]):
        average += (1 - 0.5 ** (seconds / half)) * (price - average)
        averages.append(average)
    cases.append(("ema by half-life", 'kind = "ema"\nof = "price"\nhalf_life_ms = 500', pd.Series(averages)))
    return {"on": "trade", "events": events, "cases": [
        {"name": name, "feature": feature, "hidden": "".join(hidden), "expected": numbers(series)}
        for name, feature, series, *hidden in cases
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
    # Equation of e_n in Cont, Kukanov, Stoikov (2014).
    bid, bid_size, ask, ask_size = (frame[key] for key in ("bid_px", "bid_sz", "ask_px", "ask_sz"))
    flow = (
        (bid >= bid.shift()) * bid_size - (bid <= bid.shift()) * bid_size.shift()
        - (ask <= ask.shift()) * ask_size + (ask >= ask.shift()) * ask_size.shift()
    ).where(total.notna() & total.shift().notna())
    cases = [
        ("mid", 'kind = "mid"', middle),
        ("spread", 'kind = "spread"\nunit = "price"', spread),
        ("spread in bps", 'kind = "spread"\nunit = "bps"', 1e4 * spread / middle),
        ("microprice", 'kind = "microprice"\nunit = "price"', weighted),
        ("microprice in bps", 'kind = "microprice"\nunit = "bps"', 1e4 * (weighted - middle) / middle),
        ("queue imbalance", 'kind = "queue_imbalance"', (frame["bid_sz"] - frame["ask_sz"]) / total),
        ("depth", 'kind = "depth"', total / 2),
        ("flow of quotes", 'kind = "order_flow_imbalance"\nsource = "quotes"', flow),
        ("sine of the day", 'kind = "time_of_day"', np.sin(angle)),
        ("cosine of the day", 'kind = "time_of_day"\nphase = "cosine"', np.cos(angle)),
    ]
    return {"on": "quote", "events": events, "cases": [
        {"name": name, "feature": feature, "hidden": "", "expected": numbers(series)} for name, feature, series in cases
    ]}


def books():
    """Changes of a book of three levels a side, one side empty at times; the book is a table of polars."""
    rng = np.random.default_rng(6)
    events, tops, deep = [], [], []
    held = pl.DataFrame(schema={"bid": pl.Boolean, "price": pl.Float64, "size": pl.Float64})
    for number in range(1, 41):
        changes = []
        for is_bid in (True, False):
            if number == 1:
                changes += [(is_bid, 99.0 - at if is_bid else 101.0 + at, 1.0 + at) for at in range(3)]
            elif number == 20 and is_bid:
                changes += [(True, price, 0.0) for price in sorted(held.filter(pl.col("bid"))["price"])]
            else:
                for price in rng.choice(np.arange(95.0, 100.0) if is_bid else np.arange(101.0, 106.0), 2, replace=False):
                    changes.append((is_bid, float(price), float(np.round(rng.choice([0, 1, 1, 1]) * rng.uniform(0.1, 4), 2))))
        held = pl.concat([held, pl.DataFrame(changes, schema=held.schema, orient="row")])
        held = held.unique(["bid", "price"], keep="last").filter(pl.col("size") > 0)
        top = lambda is_bid: held.filter(pl.col("bid") == is_bid).sort("price", descending=is_bid).head(3).rows()
        deep.append((top(True), top(False)))
        tops.append((top(True)[:2], top(False)[:2]))
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

    flows, second = [math.nan], [math.nan]
    for (bids, asks), (next_bids, next_asks) in zip(tops, tops[1:]):
        flows.append(added(bids, next_bids, 1) - added(asks, next_asks, -1))
        second.append(added(bids[1:], next_bids[1:], 1) - added(asks[1:], next_asks[1:], -1))
    depths = pd.Series([(bid + ask) / 4 if bid and ask else math.nan for bid, ask in sizes])

    def slope(bids, asks, unit):
        """The mean of numpy's lines through the quantities of both sides."""
        if min(len(bids), len(asks)) < 2:
            return math.nan
        mid = (bids[0][1] + asks[0][1]) / 2
        lines = []
        for side in (bids, asks):
            far = np.abs(np.array([price for _, price, _ in side]) - mid) * (1e4 / mid if unit == "bps" else 1)
            lines.append(np.polyfit(far, np.cumsum([size for *_, size in side]), 1)[0])
        return float(np.mean(lines))

    normalised = (
        'name = "o"\nkind = "order_flow_imbalance"\nlevels = 2\nhidden = true\n'
        '[[feature]]\nname = "s"\nkind = "sum"\nof = "o"\nwindow = 5\nhidden = true\n'
        '[[feature]]\nname = "d"\nkind = "depth"\nlevels = 2\nhidden = true\n'
        '[[feature]]\nname = "m"\nkind = "mean"\nof = "d"\nwindow = 5\nhidden = true\n'
    )
    ratio = pd.Series(flows).rolling(5).sum() / depths.rolling(5).mean()
    cases = [
        ("flow of the second level", 'kind = "order_flow_imbalance"\nlevel = 2', "", second),
        ("depth of two levels", 'kind = "depth"\nlevels = 2', "", depths),
        ("slope", 'kind = "depth_slope"\nlevels = 3', "", [slope(*sides, "price") for sides in deep]),
        ("slope in bps", 'kind = "depth_slope"\nlevels = 3\nunit = "bps"', "", [slope(*sides, "bps") for sides in deep]),
        ("flow by depth", 'kind = "ratio"\nof = "s"\nto = "m"', normalised, ratio),
        ("queue imbalance of two levels", 'kind = "queue_imbalance"\nlevels = 2', "", imbalance),
        ("flow of two levels", 'kind = "order_flow_imbalance"\nlevels = 2', "", flows),
    ]
    return {"on": "book", "events": events, "cases": [
        {"name": name, "feature": feature, "hidden": hidden, "expected": numbers(pd.Series(series))}
        for name, feature, hidden, series in cases
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


print(json.dumps([bars(), ranges(), sessions(), trades(), quotes(), books(), labels()], indent=0))
