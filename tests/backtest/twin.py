"""A slow twin of `foretick backtest`: market orders on the recorded book, in exact decimals.

Reads Binance captures (a line is `receive_time {"stream": ..., "data": ...}`, or a REST snapshot) and the
signals that `foretick replay --output FILE.jsonl` wrote. Shares no code and no arithmetic with the command:
the book is a dictionary that is sorted for each fill, prices and sizes are decimals, and the state of the
book at a time is found by replaying all changes up to it. Needs the standard library alone.

    python3 twin.py --signals SIGNALS.jsonl --instrument BTCUSDT.BINANCE [--enter 0.15] ... CAPTURE.gz...

Prints one JSON object: trades (time and notional of both ends), pnl_gross, fees, pnl_net.
"""

import argparse
import gzip
import json
from decimal import Decimal

MS = 1_000_000


def changes(paths, symbol):
    """Depth changes and snapshots in the order of the captures: (time in ns or None, first, last, bids, asks)."""
    for path in paths:
        with gzip.open(path, "rt") as lines:
            for line in lines:
                message = json.loads(line.split(" ", 1)[1])
                if "lastUpdateId" in message:
                    yield None, None, message["lastUpdateId"], message["bids"], message["asks"]
                    continue
                data = message.get("data", message)
                if data.get("e") == "depthUpdate" and data["s"] == symbol:
                    yield data["E"] * MS, data["U"], data["u"], data["b"], data["a"]


class Book:
    """Price levels by Binance's rules: changes wait for the snapshot, then follow each other."""

    def __init__(self):
        self.bids, self.asks, self.last, self.waiting = {}, {}, None, []

    def take(self, first, last, bids, asks):
        if first is None:
            self.bids, self.asks, self.last = {}, {}, last
            self.set(bids, asks)
            waiting, self.waiting = self.waiting, []
            for change in waiting:
                self.take(*change)
        elif self.last is None:
            self.waiting.append((first, last, bids, asks))
        elif last > self.last:
            assert first <= self.last + 1, "a change is missing"
            self.set(bids, asks)
            self.last = last

    def set(self, bids, asks):
        for levels, side in (bids, self.bids), (asks, self.asks):
            for price, size in levels:
                price, size = Decimal(price), Decimal(size)
                if size:
                    side[price] = size
                else:
                    side.pop(price, None)

    def notional(self, direction, size):
        """What a market order pays or gets, from the best level on."""
        levels = sorted(self.asks.items()) if direction > 0 else sorted(self.bids.items(), reverse=True)
        left, paid = size, Decimal(0)
        for price, shown in levels:
            taken = min(left, shown)
            paid += price * taken
            left -= taken
            if not left:
                return paid
        raise SystemExit("the book does not hold so much")


def orders(signals, enter, hold, latency):
    """The orders of the rule (time of effect in ns, direction, entry or exit): they do not depend on prices."""
    free_from = None
    for signal in signals:
        ts, score = signal["ts_event"], signal["score"]
        is_busy = free_from is not None and ts < free_from
        if signal["quality"] != "ok" or abs(score) < enter or is_busy:
            continue
        direction = 1 if score > 0 else -1
        effect = ts + latency
        free_from = effect + hold
        yield effect, direction, "entry"
        yield free_from, -direction, "exit"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--signals", required=True)
    parser.add_argument("--instrument", required=True)
    parser.add_argument("--enter", type=float, default=0.15)
    parser.add_argument("--hold-ms", type=int, default=2_000)
    parser.add_argument("--size", type=Decimal, default=Decimal("0.01"))
    parser.add_argument("--latency-ms", type=int, default=50)
    parser.add_argument("--fee-bps", type=Decimal, default=Decimal("5.0"))
    parser.add_argument("captures", nargs="+")
    args = parser.parse_args()
    with open(args.signals) as lines:
        signals = [json.loads(line) for line in lines]
    signals = [signal for signal in signals if signal["instrument"] == args.instrument]
    planned = list(orders(signals, args.enter, args.hold_ms * MS, args.latency_ms * MS))
    # An order meets the book of all changes up to its time: it is filled before the first later one.
    book, fills, known = Book(), [], None
    for ts, *change in changes(args.captures, args.instrument.split(".")[0]):
        while ts is not None and len(fills) < len(planned) and planned[len(fills)][0] < ts:
            effect, direction, _ = planned[len(fills)]
            fills.append((effect, direction, book.notional(direction, args.size)))
        book.take(*change)
        known = ts if ts is not None else known
    # At the end the book is known up to the last change: what is later is not filled.
    for effect, direction, _ in planned[len(fills):]:
        if effect <= known:
            fills.append((effect, direction, book.notional(direction, args.size)))
    rate = args.fee_bps / 10_000
    trades, gross, fees = [], Decimal(0), Decimal(0)
    for entry, exit in zip(fills[::2], fills[1::2]):
        gross += entry[1] * (exit[2] - entry[2])
        fees += rate * (entry[2] + exit[2])
        trades.append([entry[0], exit[0], entry[1], float(entry[2]), float(exit[2])])
    report = {"trades": trades, "pnl_gross": float(gross), "fees": float(fees), "pnl_net": float(gross - fees)}
    print(json.dumps(report))


if __name__ == "__main__":
    main()
