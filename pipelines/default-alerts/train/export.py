"""The model file: cleaning, ratios, networks, calibration and reasons as one ONNX graph.

Trains nothing. The graph is built node by node, so that the same weights give the same bytes.
"""

import json
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import ratios
from network import HIDDEN, Attention, Recurrent
from prepare import ITEMS, STEPS
from ratios import ASSETS, BEFORE, CLIP, CORE, FLOOR, LIABILITIES, LIMIT, NAMES

OPSET, IR_VERSION = 17, 8
# No PD is below this, however good the firm looks.
PD_FLOOR = 0.0005
# How far ONNX Runtime may lie from PyTorch, in PD.
TOLERANCE = 1e-5
# One code for each item and year, the newest year first: Y0 to Y3.
REASONS = [f"{name.upper()}_Y{age}" for age in range(STEPS) for name in CORE]


@dataclass
class Calibration:
    """Log-odds of the networks to log-odds of a failure within a year."""

    slope: float
    intercept: float  # on a population that fails as often as the training windows
    prior_shift: float  # to the population the model is used on


class Builder:
    """Nodes and constants of a graph, in order."""

    def __init__(self):
        self.nodes, self.constants = [], {}

    def constant(self, name, value, kind=np.float32):
        self.constants[name] = np.array(value, dtype=kind, order="C")
        return name

    def add(self, kind, inputs, output, **attributes):
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output


def graph(fitted, networks, calibration, with_reasons=True):
    """rows [N, 4, 18] -> probability [N, 1], reasons [N, codes]."""
    build = Builder()
    items, usual = clean(build, fitted)
    one = build.constant("axis_1", [1], np.int64)
    # [N, variants, 4, items]: the statements as they are, then each item of each year as if it were usual.
    items, usual = (build.add("Unsqueeze", [name, one], f"{name}_of_variant") for name in (items, usual))
    mask = build.constant("variant_items", variants(with_reasons), bool)
    items = build.add("Where", [mask, usual, items], "variants")
    log_odds = score(build, average(build, inputs(build, items, fitted), networks), calibration, with_reasons)
    tensor = helper.make_tensor_value_info
    outputs = [tensor("probability", TensorProto.FLOAT, ["N", 1])]
    if with_reasons:
        explain(build, log_odds)
        outputs.append(tensor("reasons", TensorProto.FLOAT, ["N", len(REASONS)]))
    return helper.make_graph(
        build.nodes,
        "default-alerts",
        [tensor("rows", TensorProto.FLOAT, ["N", STEPS, len(ITEMS)])],
        outputs,
        [numpy_helper.from_array(value, name) for name, value in build.constants.items()],
    )


def variants(with_reasons):
    """Which items of which years each variant replaces [variants, 4, items]; the first replaces none."""
    mask = np.zeros((1 + len(REASONS) * with_reasons, STEPS, len(CORE)), dtype=bool)
    for at in range(1, len(mask)):
        age, item = divmod(at - 1, len(CORE))
        mask[at, STEPS - 1 - age, item] = True
    return mask


def clean(build, fitted):
    """Items with what is missing filled in, and what is usual for each [N, 4, items]."""
    add, constant = build.add, build.constant
    numbers = [ITEMS.index(name) for name in CORE]
    second = [ITEMS.index("net_sales" if name == "total_revenue" else name) for name in CORE]
    first = add("Gather", ["rows", constant("core_items", numbers, np.int64)], "first_choice", axis=2)
    other = add("Gather", ["rows", constant("core_items_else", second, np.int64)], "second_choice", axis=2)
    chosen = add("Where", [add("IsNaN", [first], "first_missing"), other, first], "chosen")
    zero = constant("zero", 0.0)
    beyond = add("Greater", [add("Abs", [chosen], "chosen_size"), constant("limit", LIMIT)], "beyond")
    not_above = add("LessOrEqual", [chosen, zero], "not_above_zero")
    wrong = add("And", [not_above, constant("must_be_positive", ratios.must_be_positive(), bool)], "wrong_sign")
    missing = add("Or", [add("IsNaN", [chosen], "not_given"), add("Or", [beyond, wrong], "unusable")], "missing")
    known = add("Where", [missing, zero, chosen], "known")

    assets, owed = (
        constant("assets_column", [ASSETS], np.int64),
        constant("liabilities_column", [LIABILITIES], np.int64),
    )
    pick = lambda source, column, name: add("Gather", [source, column], name, axis=2)
    scale = constant("assets_per_liability", 1 / fitted.share[:, [LIABILITIES]])
    scaled = add("Mul", [pick("known", owed, "liabilities"), scale], "assets_by_liabilities")
    usual_assets = constant("usual_assets", fitted.assets[:, None])
    told = add("Where", [pick("missing", owed, "liabilities_missing"), usual_assets, scaled], "assets_told")
    total = [pick("missing", assets, "assets_missing"), told, pick("known", assets, "assets")]
    total = add("Where", total, "assets_or_told")
    rest = add("Mul", [total, constant("usual_share", fitted.share)], "usual_by_assets")
    usual = add("Where", [constant("is_assets", np.arange(len(CORE)) == ASSETS, bool), told, rest], "usual")
    return add("Where", [missing, usual, known], "items"), usual


def inputs(build, items, fitted):
    """Ratios with a sign-keeping logarithm, scaled and cut off, and their changes [N, variants, 4, 2 (ratios + 1)]."""
    add, constant = build.add, build.constant
    above, below, one, spread = ratios.tables()
    over = add("MatMul", [items, constant("ratio_above", above)], "above")
    under = add("MatMul", [items, constant("ratio_below", below)], "below_items")
    under = add("Add", [under, constant("ratio_below_one", one)], "below")
    under = add("Max", [under, constant("floor", FLOOR)], "divisor")
    wide = add("MatMul", [add("Div", [over, under], "ratio"), constant("with_altman", spread)], "wide")
    size = add("Log", [add("Add", [add("Abs", [wide], "size"), constant("one", 1.0)], "size_1")], "log_size")
    signed = add("Mul", [size, add("Sign", [wide], "sign")], "signed")
    scaled = add(
        "Div", [add("Sub", [signed, constant("mean", fitted.mean)], "centred"), constant("std", fitted.std)], "scaled"
    )
    bounds = [constant("clip_below", -CLIP), constant("clip", CLIP)]
    level = add("Clip", [scaled, *bounds], "level")
    before = add("Gather", [level, constant("year_before", BEFORE, np.int64)], "level_before", axis=2)
    change = add("Clip", [add("Sub", [level, before], "difference"), *bounds], "change")
    return add("Concat", [level, change], "inputs", axis=-1)


def attend(build, source, networks):
    """Log-odds of the attention networks, worked out side by side [networks, variants of all windows, 1]."""
    add, constant = build.add, build.constant
    weight = lambda layer: constant(f"{layer}_w", stack(networks, lambda net: getattr(net, layer).weight.T))
    bias = lambda layer: constant(f"{layer}_b", stack(networks, lambda net: getattr(net, layer).bias)[:, None])
    shape = lambda name, sizes: constant(name, sizes, np.int64)
    # [1, years of all variants, inputs] -> [networks, years, hidden] -> [networks, variants, 4, hidden]
    flat = add("Reshape", [source, shape("flat_shape", [1, -1, 2 * len(NAMES)])], "flat")
    years = add("MatMul", [flat, weight("year")], "year_product")
    years = add("Reshape", [years, shape("year_shape", [len(networks), -1, STEPS, HIDDEN])], "year_of_variant")
    place = constant("year_position_b", stack(networks, lambda net: net.position + net.year.bias)[:, None])
    years = add("Relu", [add("Add", [years, place], "year_sum")], "years")
    newest = add("Gather", [years, constant("newest_year", STEPS - 1, np.int64)], "newest", axis=2)
    query = add("Add", [add("MatMul", [newest, weight("query")], "query_product"), bias("query")], "query")
    axis_2, last = shape("axis_2", [2]), shape("axis_last", [-1])
    match = add("Mul", [years, add("Unsqueeze", [query, axis_2], "query_each")], "match")
    share = add("Softmax", [add("ReduceSum", [match, last], "match_sum", keepdims=0)], "attention", axis=-1)
    seen = add("Mul", [years, add("Unsqueeze", [share, last], "attention_each")], "seen_years")
    seen = add("ReduceSum", [seen, axis_2], "seen", keepdims=0)
    both = add("Concat", [newest, seen], "newest_and_seen", axis=-1)
    mixed = add("Add", [add("MatMul", [both, weight("mix")], "mix_product"), bias("mix")], "mix_sum")
    out = add("MatMul", [add("Relu", [mixed], "mix"), weight("out")], "out_product")
    return add("Add", [out, bias("out")], "attention_log_odds")


def recur(build, source, networks):
    """Log-odds of the LSTMs, one after the other [networks, variants of all windows, 1]."""
    add, constant = build.add, build.constant
    cut = add("Reshape", [source, constant("window_shape", [-1, STEPS, 2 * len(NAMES)], np.int64)], "windows")
    by_year = add("Transpose", [cut], "by_year", perm=[1, 0, 2])
    states = []
    for at, network in enumerate(networks, start=1):
        weights = [constant(f"lstm_{at}_{name}", value) for name, value in lstm_weights(network.lstm).items()]
        states.append(f"lstm_{at}_state")
        build.nodes.append(helper.make_node("LSTM", [by_year, *weights], ["", states[-1]], hidden_size=HIDDEN))
    state = add("Concat", states, "lstm_states", axis=0)
    out = add(
        "MatMul", [state, constant("lstm_out_w", stack(networks, lambda net: net.out.weight.T))], "lstm_out_product"
    )
    return add(
        "Add", [out, constant("lstm_out_b", stack(networks, lambda net: net.out.bias)[:, None])], "lstm_log_odds"
    )


def stack(networks, part):
    """The same weights of several networks, one after the other."""
    return np.stack([part(network).detach().numpy() for network in networks])


def lstm_weights(lstm):
    """PyTorch keeps the gates as input, forget, cell, output; ONNX as input, output, forget, cell."""
    part = lambda tensor: tensor.detach().numpy().reshape(4, HIDDEN, *tensor.shape[1:])
    swap = lambda tensor: part(tensor)[[0, 3, 1, 2]].reshape(tensor.shape)[None]
    bias = np.concatenate([swap(lstm.bias_ih_l0), swap(lstm.bias_hh_l0)], axis=1)
    return {"w": swap(lstm.weight_ih_l0), "r": swap(lstm.weight_hh_l0), "b": bias}


def average(build, source, networks):
    """The mean log-odds of all networks [variants of all windows]."""
    exported = {Attention: attend, Recurrent: recur}
    kinds = {kind: [network for network in networks if isinstance(network, kind)] for kind in exported}
    log_odds = [exported[kind](build, source, members) for kind, members in kinds.items() if members]
    every = build.add("Concat", log_odds, "every_log_odds", axis=0)
    return build.add("ReduceMean", [every], "networks_log_odds", axes=[0, 2], keepdims=0)


def score(build, source, calibration, with_reasons):
    """Calibrated log-odds [N, variants], and of the first variant the PD."""
    add, constant = build.add, build.constant
    table = add(
        "Reshape", [source, constant("variant_shape", [-1, len(variants(with_reasons))], np.int64)], "by_variant"
    )
    sloped = add("Mul", [table, constant("calibration_slope", calibration.slope)], "sloped")
    trained = add("Add", [sloped, constant("calibration_intercept", calibration.intercept)], "training_log_odds")
    odds = add("Add", [trained, constant("prior_shift", calibration.prior_shift)], "log_odds")
    first = add("Gather", [odds, constant("first", [0], np.int64)], "log_odds_first", axis=1)
    add("Max", [add("Sigmoid", [first], "pd"), constant("pd_floor", PD_FLOOR)], "probability")
    return odds


def explain(build, odds):
    """By how much each item of each year raises the log-odds above what they were, were it usual."""
    rest = build.constant("others", np.arange(1, 1 + len(REASONS)), np.int64)
    others = build.add("Gather", [odds, rest], "log_odds_others", axis=1)
    build.add("Sub", ["log_odds_first", others], "reasons")


def write(path, made, notes):
    """Writes a graph; `notes` are metadata, name to JSON value."""
    model = helper.make_model(
        made,
        producer_name="foretick",
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in notes.items()}
    helper.set_model_props(model, {f"foretick.{key}": text for key, text in sorted(texts.items())})
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString(deterministic=True))


def write_linear(path, fitted, prior_shift, known):
    """Writes the logistic regression on the newest year's items, the engine's own baseline; no item may be missing."""
    scaler, model = fitted
    weights, (bias,) = model.coef_[0].tolist(), model.intercept_.tolist()
    linear = {
        "name": "default-alerts-linear",
        "version": "1",
        "features": ITEMS,
        **known,
        "labels": ["survives", "fails"],
        "mean": scaler.mean_.tolist(),
        "std": scaler.scale_.tolist(),
        "weights": [[0.0] * len(weights), weights],
        "bias": [0.0, bias + prior_shift],
    }
    path.write_text(json.dumps(linear, indent=1) + "\n")
