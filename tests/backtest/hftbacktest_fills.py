"""The fills of the canonical backtest by the PyPI package hftbacktest, beside those of twin.py.

    python3 twin.py --signals SIGNALS.jsonl --instrument BTCUSDT.BINANCE CAPTURE.gz... > twin.json
    python3 hftbacktest_fills.py SIGNALS.jsonl twin.json CAPTURE.gz...

Needs `pip install hftbacktest`; no test runs it. Feed latency is zero and the latency of orders 50 ms, so that an
order reaches the exchange when the rule says so. With hftbacktest 2.4.4 on btcusdt_20240808.gz and
btcusdt_20240809.gz 315 of 322 fills are equal to 1e-9. The other 7 are those of which the best level shows less
than the order takes: its exchange without partial fills fills all at the best price, and its one with partial
fills books the last level alone.
"""

import json
import sys

import numpy as np
from hftbacktest import (
    BUY_EVENT,
    DEPTH_EVENT,
    DEPTH_SNAPSHOT_EVENT,
    EXCH_EVENT,
    LOCAL_EVENT,
    MARKET,
    SELL_EVENT,
    BacktestAsset,
    HashMapMarketDepthBacktest,
)
from hftbacktest.order import IOC
from hftbacktest.types import event_dtype
from twin import MS, changes, orders

LATENCY = 50 * MS


def events(paths):
    """The changes that the book applies, as hftbacktest's events."""
    rows, last, waiting, now = [], None, [], 0

    def add(kind, bids, asks):
        for levels, side in (bids, BUY_EVENT), (asks, SELL_EVENT):
            for price, size in levels:
                rows.append((kind | side | EXCH_EVENT | LOCAL_EVENT, now, now, float(price), float(size), 0, 0, 0.0))

    for ts, _, number, bids, asks in changes(paths, "BTCUSDT"):
        if ts is None:
            add(DEPTH_SNAPSHOT_EVENT, bids, asks)
            last = number
            for number, bids, asks in waiting:
                if number > last:
                    add(DEPTH_EVENT, bids, asks)
                    last = number
            continue
        now = ts
        if last is None:
            waiting.append((number, bids, asks))
        elif number > last:
            add(DEPTH_EVENT, bids, asks)
            last = number
    return np.array(rows, dtype=event_dtype)


def main():
    signals, twin, *captures = sys.argv[1:]
    # The package reads the array where it is: it must live as long as the backtest.
    data = events(captures)
    asset = BacktestAsset().data(data).linear_asset(1.0).constant_order_latency(LATENCY, 0)
    asset = asset.risk_adverse_queue_model().no_partial_fill_exchange().trading_value_fee_model(0.0005, 0.0005)
    market = HashMapMarketDepthBacktest([asset.tick_size(0.01).lot_size(0.00001)])
    # Only then its clock shows the first event.
    market.elapse(1)
    with open(signals) as lines:
        planned = list(orders(map(json.loads, lines), 0.15, 2_000 * MS, LATENCY))
    paid, balance = [], 0.0
    for number, (effect, direction, _) in enumerate(planned, 1):
        while market.current_timestamp < effect - LATENCY:
            if market.elapse(effect - LATENCY - market.current_timestamp) != 0:
                break
        submit = market.submit_buy_order if direction > 0 else market.submit_sell_order
        submit(0, number, market.depth(0).best_ask, 0.01, IOC, MARKET, False)
        market.elapse(LATENCY + MS)
        state = market.state_values(0)
        paid.append(abs(state.balance - balance))
        balance = state.balance
    with open(twin) as text:
        trades = json.load(text)["trades"]
    expected = [(time, notional) for trade in trades for time, notional in ((trade[0], trade[3]), (trade[1], trade[4]))]
    equal = 0
    for ours, (time, theirs) in zip(paid, expected):
        if abs(ours - theirs) <= 1e-9:
            equal += 1
        else:
            print(f"{time}: hftbacktest {ours}, twin {theirs}")
    print(f"{equal} of {len(expected)} fills are equal")


if __name__ == "__main__":
    main()
