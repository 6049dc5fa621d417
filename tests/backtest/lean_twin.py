"""A slow twin of `foretick backtest` on LEAN's quotes: market orders at the best bid and offer, in whole numbers.

Reads a zip of quotes of one day (milliseconds since midnight in New York, bid, size, ask, size; zeros where a row does
not tell of a side) and the signals that `foretick replay --output FILE.jsonl` wrote. Shares the rule with twin.py and
nothing with the command. Needs the standard library alone.

    python3 lean_twin.py --signals SIGNALS.jsonl --day 2013-10-11 --enter 0.1 --hold-ms 300000 --size 100 ... QUOTES.zip

Prints one JSON object: trades, pnl_gross, fees, pnl_net.
"""

import argparse
import bisect
import csv
import datetime
import io
import json
import zipfile
from fractions import Fraction
from zoneinfo import ZoneInfo

from twin import MS, orders


def quotes(path, day):
    """Times in ns, and the bid, its size, the ask and its size from then on; prices in 1/10000."""
    midnight = datetime.datetime.fromisoformat(day).replace(tzinfo=ZoneInfo("America/New_York"))
    midnight = int(midnight.timestamp()) * 1000
    times, states, state = [], [], [0, 0, 0, 0]
    with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as file:
        for row in csv.reader(io.TextIOWrapper(file)):
            for side in (1, 3):
                if row[side] != "0":
                    state[side - 1 : side + 1] = [int(row[side]), int(row[side + 1])]
            times.append((midnight + int(row[0])) * MS)
            states.append(tuple(state))
    return times, states


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--signals", required=True)
    parser.add_argument("--day", required=True)
    parser.add_argument("--enter", type=float, required=True)
    parser.add_argument("--hold-ms", type=int, required=True)
    parser.add_argument("--size", type=int, required=True)
    parser.add_argument("--latency-ms", type=int, required=True)
    parser.add_argument("--fee-bps", type=Fraction, required=True)
    parser.add_argument("quotes")
    args = parser.parse_args()
    times, states = quotes(args.quotes, args.day)

    def notional(effect, direction):
        bid, bid_size, ask, ask_size = states[bisect.bisect_right(times, effect) - 1]
        price, shown = (ask, ask_size) if direction > 0 else (bid, bid_size)
        # Neither happens where this twin is used: it has no rule for what is left, nor for a crossed market.
        assert bid <= ask and shown >= args.size, f"at {effect}: {bid} {ask} {shown}"
        return Fraction(price * args.size, 10_000)

    with open(args.signals) as lines:
        signals = [json.loads(line) for line in lines]
    planned = list(orders(signals, args.enter, args.hold_ms * MS, args.latency_ms * MS))
    fills = [(direction, notional(effect, direction)) for effect, direction, _ in planned]
    gross = -sum(direction * paid for direction, paid in fills)
    fees = args.fee_bps / 10_000 * sum(paid for _, paid in fills)
    report = {"trades": len(fills) // 2, "pnl_gross": float(gross), "fees": float(fees), "pnl_net": float(gross - fees)}
    print(json.dumps(report))


if __name__ == "__main__":
    main()
