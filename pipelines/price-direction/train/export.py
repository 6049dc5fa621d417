"""Model files: the network as ONNX with its contract, the logistic regression as linear.json.

Trains nothing. The graph is built node by node, so that the same weights give the same bytes.
"""

import json

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from network import probabilities

OPSET, IR_VERSION = 17, 8
# How far ONNX Runtime may lie from PyTorch, in probability.
TOLERANCE = 1e-5


def write_onnx(path, network, contract, normalise, notes):
    """Writes the network, rows to normalise in front of it; `notes` are further metadata, name to JSON value."""
    model = helper.make_model(
        graph(network, normalise, contract["steps"], len(contract["features"])),
        producer_name="foretick",
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    props = {**common(contract), "steps": contract["steps"], **notes}
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in props.items()}
    helper.set_model_props(model, {f"foretick.{key}": text for key, text in sorted(texts.items())})
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString(deterministic=True))


def common(contract):
    """What both model files say of themselves."""
    return {
        "name": contract["name"],
        "version": "1",
        "features": contract["features"],
        "features_sha256": contract["features_sha256"],
        "labels": contract["labels"],
        "horizon_ms": contract["horizon_ms"],
    }


def graph(network, normalise, steps, features):
    """Sub -> Div -> Transpose -> LSTM -> Squeeze -> LSTM -> Squeeze -> Gemm -> Softmax."""
    node, weights = helper.make_node, {"axis_1": np.array([1]), "axis_0": np.array([0])}
    weights |= dict(zip(("mean", "std"), np.float32(normalise)))
    weights |= lstm_weights("first", network.first) | lstm_weights("second", network.second)
    weights |= {"dense_w": network.dense.weight.detach().numpy(), "dense_b": network.dense.bias.detach().numpy()}
    inputs = lambda name: [f"{name}_w", f"{name}_r", f"{name}_b"]
    nodes = [
        node("Sub", ["window", "mean"], ["centred"]),
        node("Div", ["centred", "std"], ["scaled"]),
        node("Transpose", ["scaled"], ["by_time"], perm=[1, 0, 2]),
        node("LSTM", ["by_time", *inputs("first")], ["first_all"], hidden_size=network.first.hidden_size),
        # [T, directions, N, H] to [T, N, H]
        node("Squeeze", ["first_all", "axis_1"], ["first_rows"]),
        node("LSTM", ["first_rows", *inputs("second")], ["", "second_last"], hidden_size=network.second.hidden_size),
        # [directions, N, H] to [N, H]
        node("Squeeze", ["second_last", "axis_0"], ["state"]),
        node("Gemm", ["state", "dense_w", "dense_b"], ["logits"], transB=1),
        node("Softmax", ["logits"], ["probabilities"], axis=-1),
    ]
    tensor = helper.make_tensor_value_info
    return helper.make_graph(
        nodes,
        "price-direction",
        [tensor("window", TensorProto.FLOAT, ["N", steps, features])],
        [tensor("probabilities", TensorProto.FLOAT, ["N", 3])],
        [numpy_helper.from_array(np.ascontiguousarray(value), name) for name, value in weights.items()],
    )


def lstm_weights(name, lstm):
    """PyTorch keeps the gates as input, forget, cell, output; ONNX as input, output, forget, cell."""
    part = lambda tensor: tensor.detach().numpy().reshape(4, lstm.hidden_size, *tensor.shape[1:])
    swap = lambda tensor: part(tensor)[[0, 3, 1, 2]].reshape(tensor.shape)[None]
    bias = np.concatenate([swap(lstm.bias_ih_l0), swap(lstm.bias_hh_l0)], axis=1)
    return {f"{name}_w": swap(lstm.weight_ih_l0), f"{name}_r": swap(lstm.weight_hh_l0), f"{name}_b": bias}


def write_linear(path, model, contract, normalise):
    """Writes the logistic regression on the last row, the pipeline's built-in baseline."""
    mean, std = (part.tolist() for part in normalise)
    linear = {**common(contract), "name": f"{contract['name']}-linear", "mean": mean, "std": std}
    linear |= {"weights": model.coef_.tolist(), "bias": model.intercept_.tolist()}
    path.write_text(json.dumps(linear, indent=1) + "\n")


def run_onnx(path, windows):
    """Probabilities by ONNX Runtime, one window at a time as the engine asks."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return np.concatenate([session.run(None, {"window": window[None]})[0] for window in windows])


def check_onnx(path, network, windows, normalised):
    """Holds the file against the network it was written from, on the same windows."""
    difference = float(np.abs(run_onnx(path, windows) - probabilities(network, normalised)).max())
    if difference > TOLERANCE:
        raise SystemExit(f"while checking {path}: ONNX Runtime and PyTorch differ by {difference:g}; do not ship it")
    print(f"{path.name}: {path.stat().st_size} bytes, largest difference to PyTorch {difference:.1e}")
