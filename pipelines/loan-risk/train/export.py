"""Writes the model file: raw fields in, probabilities and reasons out, everything between in one graph.

Beside it linear.json, the logistic regression on raw fields. Trains nothing. The graph is built node by node, so that the same weights give the same bytes.
"""

import json

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import explain
from network import probabilities
from runtime import run

OPSET, IR_VERSION = 17, 8
LABELS = ["low", "medium", "high"]
# How far ONNX Runtime may lie from PyTorch, in probability.
TOLERANCE = 1e-5
# e to this is still a single.
LOGIT_MAX = 80.0


def write(path, transform, network, expected_pd, reasons, notes):
    """Writes the model; `reasons` are fields by code, `notes` further metadata, name to JSON value."""
    build = graph(transform, network, expected_pd, reasons)
    model = helper.make_model(
        build, producer_name="foretick", opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
    )
    props = {
        "name": "loan-risk",
        "version": "1",
        "features": transform.fields,
        "steps": 1,
        "labels": LABELS,
        "expected_pd": expected_pd,
        **({"reasons": list(reasons)} if reasons else {}),
        **notes,
    }
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in props.items()}
    helper.set_model_props(model, {f"foretick.{key}": text for key, text in sorted(texts.items())})
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString(deterministic=True))


def write_linear(path, fitted, known):
    """Writes the logistic regression on raw fields, the pipeline's built-in baseline; it has no answer to gaps."""
    scaler, model = fitted
    weights, (bias,) = model.coef_[0].tolist(), model.intercept_.tolist()
    linear = {
        "name": "loan-risk-linear",
        "version": "1",
        **known,
        "labels": ["repaid", "default"],
        "mean": scaler.mean_.tolist(),
        "std": scaler.scale_.tolist(),
        "weights": [[0.0] * len(weights), weights],
        "bias": [0.0, bias],
    }
    path.write_text(json.dumps(linear, indent=1) + "\n")


def graph(transform, network, expected_pd, reasons):
    """The whole graph; without reasons where `reasons` is empty."""
    nodes, constants = inputs(transform)
    for part in (grade(transform, network), why(transform, network, expected_pd, reasons) if reasons else ([], {})):
        nodes, constants = nodes + part[0], constants | part[1]
    tensor = helper.make_tensor_value_info
    outputs = [tensor("probabilities", TensorProto.FLOAT, ["N", len(LABELS)])]
    if reasons:
        outputs.append(tensor("reasons", TensorProto.FLOAT, ["N", len(reasons)]))
    return helper.make_graph(
        nodes,
        "loan-risk",
        [tensor("rows", TensorProto.FLOAT, ["N", 1, len(transform.fields)])],
        outputs,
        [numpy_helper.from_array(np.ascontiguousarray(value), name) for name, value in constants.items()],
    )


def inputs(transform):
    """`Transform.apply`: fill gaps, run each amount through its table, switch on codes, flag gaps.

    A table is the sum of its pieces, each clip((x - from) / length, 0, 1) · rise: finite for any x. Codes
    go through a table without a rise, so that no column need be picked out; the network gives it no weight.
    Scores begin at 0 here and not at the table's least: the first layer makes up for it.
    """
    node, single = helper.make_node, lambda values: np.array(values, dtype=np.float32)
    tables = dict(zip(transform.amounts, transform.tables))
    shape = len(transform.fields), max(len(x) for x, _ in transform.tables) - 1
    start, slope, rise = (np.full(shape, fill, np.float32) for fill in (0, 1, 0))
    median = np.zeros(shape[0], np.float32)
    median[transform.amounts] = transform.medians
    for at, (x, y) in tables.items():
        count = len(x) - 1
        start[at, :count], slope[at, :count], rise[at, :count] = x[:-1], 1 / np.diff(x), np.diff(y)
    constants = {
        "step": np.array([1]),
        "median": median,
        "start": start.T,
        "slope": slope.T,
        "rise": rise.T,
        "nought": single(0),
        "one": single(1),
    }
    nodes = [
        node("IsNaN", ["rows"], ["missing"]),
        node("Cast", ["missing"], ["flags"], to=TensorProto.FLOAT),
        node("Where", ["missing", "median", "rows"], ["amounts"]),
        # [N, 1, fields] and [pieces, fields] to [N, pieces, fields]
        node("Sub", ["amounts", "start"], ["past"]),
        node("Mul", ["past", "slope"], ["way"]),
        node("Clip", ["way", "nought", "one"], ["piece"]),
        node("Mul", ["piece", "rise"], ["risen"]),
        node("ReduceSum", ["risen", "step"], ["scores"], keepdims=1),
    ]
    parts = ["scores", "flags"]
    if transform.codes:
        constants |= {
            "code_at": np.array([at for at, _ in transform.codes]),
            "code": single([code for _, code in transform.codes]),
        }
        nodes += [
            node("Gather", ["rows", "code_at"], ["coded"], axis=2),
            node("Equal", ["coded", "code"], ["is_code"]),
            node("Cast", ["is_code"], ["switches"], to=TensorProto.FLOAT),
        ]
        parts = ["scores", "switches", "flags"]
    nodes += [node("Concat", parts, ["inputs_step"], axis=2), node("Squeeze", ["inputs_step", "step"], ["inputs"])]
    return nodes, constants


def first_layer(transform, network):
    """Weights and bias of the first layer, for the graph's inputs instead of those of `Transform.apply`."""
    weight, bias = network.first.weight.detach().numpy().T, network.first.bias.detach().numpy()
    count, scores = len(transform.amounts), np.zeros((len(transform.fields), weight.shape[1]), np.float32)
    scores[transform.amounts] = weight[:count]
    return np.concatenate([scores, weight[count:]]), bias + least(transform) @ weight


def least(transform):
    """What the graph's inputs lack."""
    values = np.zeros(len(transform.owners()), np.float32)
    values[: len(transform.amounts)] = [y[0] for _, y in transform.tables]
    return values


def grade(transform, network):
    """Dense, ReLU, dense, ReLU, dense, softmax."""
    node, constants = helper.make_node, {}
    for name in ("first", "second", "third"):
        layer = getattr(network, name)
        constants |= {f"{name}_w": layer.weight.detach().numpy().T, f"{name}_b": layer.bias.detach().numpy()}
    constants["first_w"], constants["first_b"] = first_layer(transform, network)
    nodes = [
        node("Gemm", ["inputs", "first_w", "first_b"], ["first"]),
        node("Relu", ["first"], ["first_on"]),
        node("Gemm", ["first_on", "second_w", "second_b"], ["second"]),
        node("Relu", ["second"], ["second_on"]),
        node("Gemm", ["second_on", "third_w", "third_b"], ["logits"]),
        node("Softmax", ["logits"], ["probabilities"], axis=-1),
    ]
    return nodes, constants


def why(transform, network, expected_pd, reasons):
    """Exact Shapley values of the groups: every coalition in one batch.

    The first layer is linear, so a coalition's share of it is the usual row's plus what each group in it
    adds: each group goes through the first layer once and not in every coalition. The usual row is the
    last block, in every coalition.
    """
    node, count = helper.make_node, len(reasons)
    usual = transform.apply(transform.usual[None])[0]
    (first, _), own = first_layer(transform, network), network.first.weight.detach().numpy().T
    number, owner = groups(transform, reasons), transform.owners()
    field = np.concatenate([np.arange(len(transform.fields)), owner[len(transform.amounts) :]])  # of each graph input
    parts = [first * (number[field] == at)[:, None] for at in range(count)]
    offsets = [(least(transform) - usual) @ (own * (number[owner] == at)[:, None]) for at in range(count)]
    parts.append(np.zeros_like(first))
    offsets.append(usual @ own + network.first.bias.detach().numpy())
    inside, shapley = explain.coalitions(count), explain.weights(count)
    constants = {
        "split_w": np.concatenate(parts, axis=1),
        "split_b": np.concatenate(offsets),
        "by_group": np.array([-1, count + 1, first.shape[1]]),
        "coalitions": np.concatenate([inside, np.ones((len(inside), 1), np.float32)], axis=1),
        "as_rows": np.array([-1, first.shape[1]]),
        "logit_min": np.array(-LOGIT_MAX, dtype=np.float32),
        "logit_max": np.array(LOGIT_MAX, dtype=np.float32),
        "default_paid": np.array([[pd, 1 - pd] for pd in expected_pd], dtype=np.float32),
        "by_row": np.array([-1, 2 * len(inside)]),
        # ln(default) less ln(paid), then the weights: one product.
        "shapley": np.stack([shapley, -shapley], axis=1).reshape(-1, count),
    }
    nodes = [
        node("Gemm", ["inputs", "split_w", "split_b"], ["added_flat"]),
        node("Reshape", ["added_flat", "by_group"], ["added"]),
        node("MatMul", ["coalitions", "added"], ["together"]),
        node("Reshape", ["together", "as_rows"], ["all_first"]),
        node("Relu", ["all_first"], ["all_first_on"]),
        node("Gemm", ["all_first_on", "second_w", "second_b"], ["all_second"]),
        node("Relu", ["all_second"], ["all_second_on"]),
        node("Gemm", ["all_second_on", "third_w", "third_b"], ["all_logits"]),
        # Softmax without its division, which the odds do not need; no logit may overflow.
        node("Clip", ["all_logits", "logit_min", "logit_max"], ["all_bounded"]),
        node("Exp", ["all_bounded"], ["all_likely"]),
        node("MatMul", ["all_likely", "default_paid"], ["all_odds"]),
        node("Log", ["all_odds"], ["all_logs"]),
        node("Reshape", ["all_logs", "by_row"], ["values"]),
        node("MatMul", ["values", "shapley"], ["reasons"]),
    ]
    return nodes, constants


def write_idle(path, fields):
    """Writes a model that gives a constant: what a call costs by itself."""
    constant = numpy_helper.from_array(np.zeros((1, len(LABELS)), np.float32))
    tensor = helper.make_tensor_value_info
    build = helper.make_graph(
        [helper.make_node("Constant", [], ["probabilities"], value=constant)],
        "nothing",
        [tensor("rows", TensorProto.FLOAT, ["N", 1, fields])],
        [tensor("probabilities", TensorProto.FLOAT, [1, len(LABELS)])],
    )
    opset = [helper.make_opsetid("", OPSET)]
    path.write_bytes(helper.make_model(build, opset_imports=opset, ir_version=IR_VERSION).SerializeToString())


def groups(transform, reasons):
    """For each field, the number of its reason."""
    number = {field: at for at, fields in enumerate(reasons.values()) for field in fields}
    return np.array([number[field] for field in transform.fields])


def check(path, transform, network, cells):
    """Holds the file against the network it was written from, with and without gaps."""
    gaps = np.random.default_rng(0).random(cells.shape) < 0.2
    for rows in (cells, np.where(gaps, np.nan, cells)):
        difference = float(np.abs(run(path, rows)[0] - probabilities(network, transform.apply(rows))).max())
        if difference > TOLERANCE:
            raise SystemExit(
                f"while checking {path}: ONNX Runtime and PyTorch differ by {difference:g}; do not ship it"
            )
    print(f"{path.name}: {path.stat().st_size} bytes, largest difference to PyTorch {difference:.1e}", flush=True)
