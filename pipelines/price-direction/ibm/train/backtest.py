"""What the model earns after costs: `make backtest PIPELINE=price-direction/ibm`.

Chooses threshold and holding time of each model on the fourth session, writes those of the shipped one to
pipeline.toml, and trades the fifth session once. Writes the figures between the marks of MODEL_CARD.md.

    backtest.py [--choose]      # stops after the choice: never reads the fifth session

FORETICK names the binary, ORT_DYLIB_PATH the library, FORETICK_DATA the folder of data.
"""

import re
import sys

from sessions import OUT, PIPELINE, RECIPE, archives, bounds, days

import marks
import trading

CHOOSE = RECIPE["choose"]
BEGIN = "<!-- backtest: written by train/backtest.py -->"
END = "<!-- end of backtest -->"
LSTM, LINEAR, LAST_MOVE = "LSTM (shipped)", "logistic regression (`linear.json`)", "last move of 30 s goes on"
IS_LINEAR = {"model.kind": "linear", "model.file": "linear.json"}


def main():
    models = {
        LSTM: (PIPELINE, {}, CHOOSE["enter"]),
        LINEAR: (PIPELINE, IS_LINEAR, CHOOSE["enter"]),
        LAST_MOVE: (trading.last_move(PIPELINE, OUT, 30_000), {}, CHOOSE["enter_last_move"]),
    }
    tried = {name: trials(*model) for name, model in models.items()}
    chosen = {name: best(rows) for name, rows in tried.items()}
    for name, row in chosen.items():
        net = f"{row['trades']} trades, net {row['pnl_net']:.2f} on the fourth session"
        print(f"{name}: {row['set']}, {net}", flush=True)
    keep(chosen[LSTM]["set"])
    if "--choose" in sys.argv:
        return
    # From here on the fifth session is read.
    number = sum(map(len, tried.values()))
    reports = {name: traded(pipeline, settings | chosen[name]["set"], number)
               for name, (pipeline, settings, _) in models.items()}  # fmt: skip
    reports["hold: buy at the begin, sell at the end"] = traded(trading.hold(PIPELINE, OUT), for_hold("report"))
    rule = chosen[LSTM]["set"] | {"backtest.enter": 0.5}
    draws = [traded(trading.random(PIPELINE, OUT, draw), rule) for draw in range(CHOOSE["random_draws"])]
    marks.put(PIPELINE / "MODEL_CARD.md", BEGIN, "\n\n".join(figures(tried, chosen, reports, draws, number)), END)


def span(part):
    """From when to when signals are traded; one session."""
    (first, end) = bounds(days(part)[0])
    return first, end


def trials(pipeline, settings, enters):
    """Every combination on the fourth session."""
    sweep = {"backtest.enter": enters, "backtest.hold_ms": CHOOSE["hold_ms"]}
    return trading.backtest(pipeline, archives("choose"), span("choose"), settings, sweep)["sweep"]


def best(rows):
    """The combination of which a trade won most, or lost least, after costs."""
    enough = [row for row in rows if row["trades"] >= CHOOSE["least_trades"]]
    return max(enough, key=trading.by_trade)


def keep(chosen):
    """Writes the rule to pipeline.toml."""
    path = PIPELINE / "pipeline.toml"
    head, mark, rule = path.read_text().partition("[backtest]\n")
    for key, value in chosen.items():
        name = key.removeprefix("backtest.")
        written = f"{int(value):_}" if name == "hold_ms" else value
        rule = re.sub(rf"^{name} = [0-9._]+", f"{name} = {written}", rule, count=1, flags=re.MULTILINE)
    path.write_text(head + mark + rule)


def traded(pipeline, settings, number=1):
    """The fifth session by a rule."""
    return trading.backtest(pipeline, archives("report"), span("report"), settings, trials=number)


def for_hold(part):
    first, end = span(part)
    return {"backtest.enter": 0.5, "backtest.sides": "long", "backtest.hold_ms": (end - first) // 10**6}


def figures(tried, chosen, reports, draws, number):
    """What stands between the marks."""
    heads = ["chosen on the fourth session", "tried", "of them won", "enter", "hold, s"]
    heads += ["trades", "net", "net by trade, bps"]
    lines = []
    for name, row in chosen.items():
        enter, hold = row["set"]["backtest.enter"], int(row["set"]["backtest.hold_ms"]) // 1000
        won = sum(other["pnl_net"] > 0 for other in tried[name])
        net = [trading.number(value) for value in (row["pnl_net"], trading.by_trade(row))]
        lines.append([name, len(tried[name]), won, enter, hold, row["trades"], *net])
    yield marks.table(heads, lines)
    lines = [trading.line(name, report) for name, report in reports.items()]
    lines.append(trading.mean_line(f"side by chance, mean of {len(draws)} draws", draws))
    yield marks.table(["the fifth session", *trading.HEADS[1:]], lines)
    yield trading.words(reports[LSTM], draws, number)
    yield trading.sensitivity(reports[LSTM])


if __name__ == "__main__":
    main()
