"""What the shipped model earns after costs: `make backtest PIPELINE=price-direction`.

Trades the rule of pipeline.toml on both recorded days of BTCUSDT, the one that the model was trained on and the one
that it was not, and writes the figures between the marks of MODEL_CARD.md. Chooses nothing.

FORETICK names the binary, ORT_DYLIB_PATH the library, FORETICK_DATA the captures.
"""

import marks
import prepare
import trading

BEGIN = "<!-- backtest: written by train/backtest.py -->"
END = "<!-- end of backtest -->"
MIDNIGHT = "2024-08-09T00:00:00Z"
# When signals are traded, and how long the recording lets one hold.
DAYS = {
    "2024-08-08, trained on it": ("2024-08-08T00:00:00Z", MIDNIGHT, 330_000),
    "2024-08-09, not seen": (MIDNIGHT, "2024-08-10T00:00:00Z", 300_000),
}
SHIPPED = "LSTM (shipped)"
DRAWS = 20
# So many forms of the recipe saw the unseen day (MODEL_CARD.md); the rule was set before it was traded.
TRIALS = 3
IS_LINEAR = {"model.kind": "linear", "model.file": "linear.json"}


def main():
    pieces = []
    for day, (*span, longest_ms) in DAYS.items():
        models = traders(longest_ms)
        reports = {name: traded(span, pipeline, settings) for name, (pipeline, settings) in models.items()}
        draws = [traded(span, trading.random(prepare.PIPELINE, prepare.OUT, draw), {}) for draw in range(DRAWS)]
        lines = [trading.line(name, report) for name, report in reports.items()]
        lines.append(trading.mean_line(f"side by chance, mean of {DRAWS} draws", draws))
        pieces.append(marks.table([day, *trading.HEADS[1:]], lines))
    unseen = reports[SHIPPED]
    pieces += [trading.words(unseen, draws, TRIALS), trading.sensitivity(unseen)]
    marks.put(prepare.PIPELINE / "MODEL_CARD.md", BEGIN, "\n\n".join(pieces), END)


def traders(longest_ms):
    """(pipeline, settings) of each; the trivial ones trade by the same rule, at a score of their own."""
    return {
        SHIPPED: (prepare.PIPELINE, {}),
        "logistic regression (`linear.json`)": (prepare.PIPELINE, IS_LINEAR),
        "last move of 2 s goes on": (
            trading.last_move(prepare.PIPELINE, prepare.OUT, 2_000),
            {"backtest.enter": 0.2e-4},  # the label's threshold
        ),
        "hold: buy at the begin, sell at the end": (
            trading.hold(prepare.PIPELINE, prepare.OUT),
            {"backtest.sides": "long", "backtest.hold_ms": longest_ms},
        ),
    }


def traded(span, pipeline, settings):
    """BTCUSDT of both days as the market, the signals of one."""
    captures = prepare.captures()[:2]
    return trading.backtest(pipeline, captures, span, settings, trials=TRIALS)


if __name__ == "__main__":
    main()
