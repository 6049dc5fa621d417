"""Writes model.onnx: LSTM (64) -> LSTM (32) -> dense (1) over windows of 50 rows, weights from a fixed seed.

Trains nothing. The metadata is the contract that the engine checks: feature names, their definitions' hash, steps.
"""

import hashlib
import json
import tomllib
from pathlib import Path

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

FOLDER = Path(__file__).resolve().parent.parent
SEED, STEPS, HIDDEN_1, HIDDEN_2 = 7, 50, 64, 32

# The keys of a [[feature]] table in the order in which the engine hashes them.
FEATURE_KEYS = "name kind of window window_ms levels alpha half_life_ms unit phase hidden".split()


def main():
    features = tomllib.loads((FOLDER / "pipeline.toml").read_text())["feature"]
    columns = [feature["name"] for feature in features if not feature.get("hidden")]
    model = helper.make_model(
        graph(len(columns)), opset_imports=[helper.make_opsetid("", 17)], ir_version=9
    )
    contract = {
        "name": "common-job-lstm",
        "version": "1",
        "features": json.dumps(columns),
        "features_sha256": definitions_sha256(features),
        "steps": str(STEPS),
    }
    helper.set_model_props(model, {f"foretick.{key}": text for key, text in contract.items()})
    onnx.checker.check_model(model)
    onnx.save(model, FOLDER / "model.onnx")


def graph(columns):
    draw = numpy.random.default_rng(SEED)
    weights = lstm_weights(draw, 1, columns, HIDDEN_1) + lstm_weights(draw, 2, HIDDEN_1, HIDDEN_2)
    dense = draw.uniform(-0.2, 0.2, (HIDDEN_2, 1)).astype(numpy.float32)
    weights += [
        numpy_helper.from_array(dense, "dense_w"),
        numpy_helper.from_array(numpy.zeros(1, numpy.float32), "dense_b"),
        numpy_helper.from_array(numpy.array([0]), "axis_0"),
        numpy_helper.from_array(numpy.array([1]), "axis_1"),
    ]
    nodes = [
        helper.make_node("Transpose", ["window"], ["by_step"], perm=[1, 0, 2]),
        helper.make_node("LSTM", ["by_step", "w1", "r1", "b1"], ["lstm_1"], hidden_size=HIDDEN_1),
        helper.make_node("Squeeze", ["lstm_1", "axis_1"], ["steps_1"]),
        helper.make_node("LSTM", ["steps_1", "w2", "r2", "b2"], ["", "lstm_2"], hidden_size=HIDDEN_2),
        helper.make_node("Squeeze", ["lstm_2", "axis_0"], ["last_2"]),
        helper.make_node("Gemm", ["last_2", "dense_w", "dense_b"], ["score"]),
    ]
    window = helper.make_tensor_value_info("window", TensorProto.FLOAT, ["N", STEPS, columns])
    score = helper.make_tensor_value_info("score", TensorProto.FLOAT, ["N", 1])
    return helper.make_graph(nodes, "common-job-lstm", [window], [score], weights)


def lstm_weights(draw, layer, inputs, hidden):
    """Input, recurrent and bias weights in ONNX's layout, uniform in +-1/sqrt(hidden), drawn in this order."""
    most = 1 / numpy.sqrt(hidden)
    shapes = {"w": (1, 4 * hidden, inputs), "r": (1, 4 * hidden, hidden), "b": (1, 8 * hidden)}
    return [
        numpy_helper.from_array(draw.uniform(-most, most, shape).astype(numpy.float32), f"{name}{layer}")
        for name, shape in shapes.items()
    ]


def definitions_sha256(features):
    """SHA-256 over the definitions as the engine writes them: set keys only, in its order, no blanks."""
    known = [{key: feature[key] for key in FEATURE_KEYS if feature.get(key)} for feature in features]
    return hashlib.sha256(json.dumps(known, separators=(",", ":")).encode()).hexdigest()


if __name__ == "__main__":
    main()
