"""What a model earns by a rule, beside models that know nothing: each by `foretick backtest`, on the same terms.

Trades nothing itself. The trivial models are pipelines too, written to out/: the same rows, the same rule, the same
fills; only the score is another.
"""

import json
import tomllib

import numpy as np

from prepare import foretick

HEADS = ["model", "trades", "gross", "fees", "net", "net by trade, bps", "hit rate", "break-even fee, bps"]
# What a trivial model may not take over: it has a score of its own, and no labels.
OWN = ("feature", "model", "label", "signal", "name")


def backtest(pipeline, inputs, span, settings=(), sweep=(), trials=1):
    """The report of one backtest of the signals of `span`, (from, to)."""
    arguments = ["backtest", pipeline, "--input", *inputs, "--from", span[0], "--to", span[1], "--json"]
    for key, value in dict(settings).items():
        arguments += ["--set", f"{key}={value}"]
    for key, values in dict(sweep).items():
        arguments += ["--sweep", f"{key}={','.join(map(str, values))}"]
    return foretick(*arguments, "--trials", trials)


def trivial(pipeline, folder, name, features, model=(("kind", "sum"), ("normalise", "none"))):
    """Writes a pipeline with the source, rows and rule of another one, and a score of its own."""
    told = tomllib.loads((pipeline / "pipeline.toml").read_text())
    lines = [f"name = {json.dumps(name)}"]
    for key, table in told.items():
        if key not in OWN:
            lines += tables(key, table)
    for feature in features:
        lines += ["[[feature]]", *cells(feature)]
    lines += ["[model]", *cells(dict(model))]
    path = folder / name / "pipeline.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return path.parent


def tables(name, table):
    """A table of TOML and those in it."""
    yield f"[{name}]"
    yield from cells({key: value for key, value in table.items() if not isinstance(value, dict)})
    for key, value in table.items():
        if isinstance(value, dict):
            yield from tables(f"{name}.{key}", value)


def cells(table):
    # Numbers, text, lists of text and truth are written alike in JSON and TOML.
    return (f"{key} = {json.dumps(value)}" for key, value in table.items())


def hold(pipeline, folder):
    """Its score is one: it buys at the first signal, and a rule that holds for long sells at the end."""
    return trivial(pipeline, folder, "hold", [{"name": "one", "kind": "ratio", "of": "mid", "to": "mid"}])


def last_move(pipeline, folder, window_ms):
    """Its score is the return of the last `window_ms`: what rose goes on rising."""
    features = [
        {"name": "mid_return", "kind": "log_return", "of": "mid", "hidden": True},
        {"name": "last_move", "kind": "sum", "of": "mid_return", "window_ms": window_ms},
    ]
    return trivial(pipeline, folder, "last-move", features)


def random(pipeline, folder, draw):
    """Its score is 1 or -1 as the time of day and the number of the draw decide: always in the market, on any side."""
    # Whoever needs no such control needs no onnx.
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    feature = {"name": "clock", "kind": "time_of_day", "phase": "seconds"}
    model = (("kind", "onnx"), ("file", "model.onnx"), ("normalise", "none"))
    made = trivial(pipeline, folder, f"random-{draw}", [feature], model)
    node, tensor = helper.make_node, helper.make_tensor_value_info
    values = {"pace": [[9973 + 101 * draw]], "sides": [[-0.5, 0.0, 0.5]], "half": [[0.5, 0.0, 0.5]]}
    values = {name: np.float32(value) for name, value in values.items()} | {"axis": np.array([1])}
    nodes = [
        node("Squeeze", ["window", "axis"], ["seconds"]),
        node("Mul", ["seconds", "pace"], ["turns"]),
        node("Sin", ["turns"], ["wave"]),
        node("Sign", ["wave"], ["side"]),
        node("MatMul", ["side", "sides"], ["towards"]),
        node("Add", ["towards", "half"], ["probabilities"]),
    ]
    graph = helper.make_graph(
        nodes,
        "random",
        [tensor("window", TensorProto.FLOAT, ["N", 1, 1])],
        [tensor("probabilities", TensorProto.FLOAT, ["N", 3])],
        [numpy_helper.from_array(value, name) for name, value in values.items()],
    )
    file = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    names = {"name": "random", "version": "1", "steps": "1", "features": '["clock"]'}
    names |= {"labels": '["down", "flat", "up"]'}
    helper.set_model_props(file, {f"foretick.{key}": value for key, value in names.items()})
    onnx.checker.check_model(file, full_check=True)
    (made / "model.onnx").write_bytes(file.SerializeToString(deterministic=True))
    return made


def by_trade(report):
    """What a trade won after costs, in basis points of what it was worth; none without trades."""
    return 2e4 * report["pnl_net"] / report["turnover"] if report["turnover"] else None


def number(value, digits=2):
    """A number as the cards write it."""
    return "" if value is None else f"{value:.{digits}f}".replace("-", "−")


def line(name, report):
    """A line of the table under HEADS."""
    money = [number(report[key]) for key in ("pnl_gross", "fees", "pnl_net")]
    share = "" if report["hit_rate"] is None else f"{report['hit_rate']:.0%}"
    return [name, report["trades"], *money, number(by_trade(report)), share, number(report["breakeven_bps"])]


def mean_line(name, reports):
    """The same of the means of several reports."""
    keys = ("pnl_gross", "fees", "pnl_net", "turnover", "hit_rate", "trades")
    mean = {key: float(np.mean([report[key] for report in reports])) for key in keys}
    mean |= {"trades": round(mean["trades"]), "breakeven_bps": 1e4 * mean["pnl_gross"] / mean["turnover"]}
    return line(name, mean)


def words(report, draws, tried):
    """How sure the result is: by the draws, and by the Sharpe ratio that so many trials without skill would show."""
    net = [by_trade(draw) for draw in draws]
    of_draws = [number(value) for value in (np.mean(net), np.std(net, ddof=1), min(net), max(net))]
    return (
        "By chance a trade wins {} ± {} basis points after costs (mean and standard deviation of the draws;\n"
        "{} to {}); ".format(*of_draws) + f"one of the shipped model, {number(by_trade(report))}.\n"
        f"Deflated Sharpe ratio after {tried} trials: {report['deflated_sharpe']:.3f}, the probability that the true one\n"
        "is above the best of so many models without skill."
    )


def sensitivity(report):
    """The shipped model's net result by fee and by latency, and the digest of its signals."""
    fees = [(one["fee_bps"], number(one["pnl_net"])) for one in report["by_fee"]]
    late = [(one["latency_ms"], one["trades"], number(one["pnl_net"])) for one in report["by_latency"]]
    return "\n".join(
        [
            "The shipped model with another fee, and with another latency:",
            "",
            row("fee, bps", *(f"{fee:g}" for fee, _ in fees)),
            row("---", *("---:" for _ in fees)),
            row("net", *(net for _, net in fees)),
            "",
            row("latency, ms", *(f"{each:g}" for each, *_ in late)),
            row("---", *("---:" for _ in late)),
            row("trades", *(trades for _, trades, _ in late)),
            row("net", *(net for *_, net in late)),
            "",
            f"Digest of the signals: `{report['digest']}`.",
        ]
    )


def row(*cells):
    return "| " + " | ".join(map(str, cells)) + " |"
