"""The model file: the networks of all seeds as one ONNX graph with its contract. And linear.json.

Trains nothing. The graph is built node by node, so that the same weights give the same bytes.
"""

import json

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from network import CLIP

OPSET, IR_VERSION = 17, 8


def graph(networks, normalise, steps, features):
    """window [N, T, F], rows as they are -> probabilities [N, 2] of down and up."""
    node, constants, states = helper.make_node, {}, []
    nodes = [
        node("Sub", ["window", "mean"], ["centred"]),
        node("Div", ["centred", "std"], ["scaled"]),
        node("Clip", ["scaled", "clip_below", "clip"], ["clipped"]),
        node("Transpose", ["clipped"], ["by_time"], perm=[1, 0, 2]),
    ]
    constants |= dict(zip(("mean", "std"), np.float32(normalise)))
    constants |= {"clip_below": np.float32(-CLIP), "clip": np.float32(CLIP), "axis_1": np.array([1])}
    for at, network in enumerate(networks, start=1):
        constants |= lstm_weights(f"first_{at}", network.first) | lstm_weights(f"second_{at}", network.second)
        layer = lambda name, source, outputs, lstm: node(
            "LSTM", [source, f"{name}_w", f"{name}_r", f"{name}_b"], outputs, hidden_size=lstm.hidden_size
        )
        nodes.append(layer(f"first_{at}", "by_time", [f"first_{at}_all"], network.first))
        # [T, directions, N, H] to [T, N, H]
        nodes.append(node("Squeeze", [f"first_{at}_all", "axis_1"], [f"first_{at}_rows"]))
        states.append(f"second_{at}_last")
        nodes.append(layer(f"second_{at}", f"first_{at}_rows", ["", states[-1]], network.second))
    stack = lambda part: np.stack([part(network).detach().numpy() for network in networks])
    constants["out_w"] = stack(lambda network: network.out.weight.T)
    # Half the log-odds on each side, so that the softmax of both is the sigmoid.
    constants["out_b"], constants["sides"] = stack(lambda network: network.out.bias)[:, None], np.float32([-0.5, 0.5])
    nodes += [
        # [seeds, N, H] -> [seeds, N, 1] -> [N, 1] -> [N, 2]
        node("Concat", states, ["states"], axis=0),
        node("MatMul", ["states", "out_w"], ["out_product"]),
        node("Add", ["out_product", "out_b"], ["log_odds_each"]),
        node("ReduceMean", ["log_odds_each"], ["log_odds"], axes=[0], keepdims=0),
        node("Mul", ["log_odds", "sides"], ["logits"]),
        node("Softmax", ["logits"], ["probabilities"], axis=-1),
    ]
    tensor = helper.make_tensor_value_info
    return helper.make_graph(
        nodes,
        "price-direction-daily",
        [tensor("window", TensorProto.FLOAT, ["N", steps, features])],
        [tensor("probabilities", TensorProto.FLOAT, ["N", 2])],
        [numpy_helper.from_array(np.array(value, order="C"), name) for name, value in constants.items()],
    )


def lstm_weights(name, lstm):
    """PyTorch keeps the gates as input, forget, cell, output; ONNX as input, output, forget, cell."""
    part = lambda tensor: tensor.detach().numpy().reshape(4, lstm.hidden_size, *tensor.shape[1:])
    swap = lambda tensor: part(tensor)[[0, 3, 1, 2]].reshape(tensor.shape)[None]
    bias = np.concatenate([swap(lstm.bias_ih_l0), swap(lstm.bias_hh_l0)], axis=1)
    return {f"{name}_w": swap(lstm.weight_ih_l0), f"{name}_r": swap(lstm.weight_hh_l0), f"{name}_b": bias}


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


def write_linear(path, model, known, normalise):
    """Writes the logistic regression on the last day, the engine's own baseline."""
    # Half the log-odds on each side, as in the graph.
    weights, bias = model.coef_[0] / 2, model.intercept_.item() / 2
    linear = {**known, "name": "price-direction-daily-linear", "version": "1"}
    linear |= dict(zip(("mean", "std"), (part.tolist() for part in normalise)))
    linear |= {"weights": [(-weights).tolist(), weights.tolist()], "bias": [-bias, bias]}
    path.write_text(json.dumps(linear, indent=1) + "\n")
