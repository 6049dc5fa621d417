"""The model file: encoder, head and temperature as one ONNX graph, its weights in eight bits.

Trains nothing. The graph is built node by node, so that the same weights give the same bytes.
"""

import json

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

from network import HEADS, PAD, POSITIONS, WIDTH
from prepare import LABELS

OPSET, IR_VERSION = 17, 8
# How far ONNX Runtime may lie from PyTorch before weights are rounded, in probability.
TOLERANCE = 1e-5
# What is added to the attention that padding would get.
UNSEEN = -10_000.0


class Builder:
    """Nodes and constants of a graph, in order."""

    def __init__(self, weights):
        self.nodes, self.constants = [], {}
        self.weights = {name: np.asarray(value, dtype=np.float32) for name, value in weights.items()}

    def constant(self, name, value, kind=np.float32):
        self.constants[name] = np.array(value, dtype=kind, order="C")
        return name

    def add(self, kind, inputs, output, **attributes):
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def dense(self, name, source, output):
        """A dense layer over the last axis."""
        weight = self.constant(f"{name}.w", self.weights[f"{name}.weight"].T)
        product = self.add("MatMul", [source, weight], f"{output}_product")
        return self.add("Add", [product, self.constant(f"{name}.b", self.weights[f"{name}.bias"])], output)

    def normal(self, name, source, output):
        """Mean 0 and deviation 1 over the last axis, then scale and shift."""
        scale, shift = (self.constant(f"{name}.{part}", self.weights[f"{name}.{part}"]) for part in ("weight", "bias"))
        return self.add("LayerNormalization", [source, scale, shift], output, epsilon=1e-12, axis=-1)


def graph(weights, layers, temperature):
    """rows [N, 1, 64] -> probabilities [N, 3]."""
    build = Builder(weights)
    states, there = embed(build, pieces(build))
    for at in range(layers):
        states = layer(build, f"layers.{at}", states)
    total = build.add("ReduceSum", [build.add("Mul", [states, there], "there_states"), "axis_1"], "sum", keepdims=0)
    count = build.add("ReduceSum", [there, "axis_1"], "pieces_there", keepdims=0)
    # A row without a piece stays a number; none that the engine makes is one.
    count = build.add("Max", [count, build.constant("one_float", 1.0)], "count")
    logits = build.dense("head", build.add("Div", [total, count], "mean"), "logits")
    cooled = build.add("Div", [logits, build.constant("temperature", temperature)], "cooled")
    build.add("Softmax", [cooled], "probabilities", axis=-1)
    tensor = helper.make_tensor_value_info
    return helper.make_graph(
        build.nodes,
        "news-sentiment",
        [tensor("rows", TensorProto.FLOAT, ["N", 1, POSITIONS])],
        [tensor("probabilities", TensorProto.FLOAT, ["N", len(LABELS)])],
        [numpy_helper.from_array(value, name) for name, value in build.constants.items()],
    )


def pieces(build):
    """The ids of all rows up to the longest: what is padding everywhere costs no time [N, T]."""
    add, constant = build.add, build.constant
    row = add("Squeeze", ["rows", constant("axis_1", [1], np.int64)], "row")
    ids = add("Cast", [row], "all_ids", to=TensorProto.INT64)
    there = add("Cast", [add("Not", [add("Equal", [ids, constant("pad", PAD, np.int64)], "is_pad")], "is_piece")],
                "piece_mark", to=TensorProto.INT64)  # fmt: skip
    ends = add("Mul", [there, constant("place", np.arange(1, POSITIONS + 1), np.int64)], "ends")
    last = add("ReduceMax", [ends], "last", axes=[0, 1], keepdims=0)
    longest = add("Max", [last, constant("one", 1, np.int64)], "longest")
    add("Unsqueeze", [longest, constant("axis_0", [0], np.int64)], "length")
    return add("Slice", [ids, constant("begin", [0], np.int64), "length", "axis_1"], "ids")


def embed(build, ids):
    """States before the first layer [N, T, 384], and 1 where there is a piece [N, T, 1]."""
    add, constant, weights = build.add, build.constant, build.weights
    words = add("Gather", [constant("words", weights["words.weight"]), ids], "word_states")
    positions = constant("positions", weights["positions.weight"])
    near = add("Slice", [positions, "begin", "length", "axis_0"], "near_positions")
    states = build.normal("norm", add("Add", [words, near], "placed"), "embedded")
    is_pad = add("Equal", [ids, "pad"], "pads")
    lost = add("Mul", [add("Cast", [is_pad], "pads_float", to=TensorProto.FLOAT), constant("unseen", UNSEEN)], "lost")
    add("Unsqueeze", [lost, constant("axes_1_2", [1, 2], np.int64)], "bias")
    there = add("Cast", [add("Not", [is_pad], "pieces")], "pieces_float", to=TensorProto.FLOAT)
    return states, add("Unsqueeze", [there, constant("axis_2", [2], np.int64)], "there")


def layer(build, name, states):
    """One layer, as `network.Layer` without dropout."""
    add = build.add
    split = build.constant("split", [0, 0, HEADS, WIDTH // HEADS], np.int64)
    join = build.constant("join", [0, 0, WIDTH], np.int64)
    heads = {}
    for part, turn in (("query", [0, 2, 1, 3]), ("key", [0, 2, 3, 1]), ("value", [0, 2, 1, 3])):
        flat = build.dense(f"{name}.{part}", states, f"{name}.{part}_all")
        cut = add("Reshape", [flat, split], f"{name}.{part}_cut")
        heads[part] = add("Transpose", [cut], f"{name}.{part}_heads", perm=turn)
    match = add("MatMul", [heads["query"], heads["key"]], f"{name}.match")
    scale = build.constant("head_scale", 1 / np.sqrt(WIDTH // HEADS))
    masked = add("Add", [add("Mul", [match, scale], f"{name}.scaled"), "bias"], f"{name}.masked")
    share = add("Softmax", [masked], f"{name}.attention", axis=-1)
    mixed = add("Transpose", [add("MatMul", [share, heads["value"]], f"{name}.mixed")], f"{name}.mixed_by_piece",
                perm=[0, 2, 1, 3])  # fmt: skip
    out = build.dense(f"{name}.out", add("Reshape", [mixed, join], f"{name}.joined"), f"{name}.out_states")
    states = build.normal(f"{name}.norm_attention", add("Add", [states, out], f"{name}.sum_1"), f"{name}.middle")
    wide = gelu(build, build.dense(f"{name}.wide", states, f"{name}.wide_states"), name)
    out = build.dense(f"{name}.narrow", wide, f"{name}.narrow_states")
    return build.normal(f"{name}.norm_dense", add("Add", [states, out], f"{name}.sum_2"), f"{name}.states")


def gelu(build, source, name):
    """x/2 (1 + erf(x/√2)), in the shape that ONNX Runtime knows as one step."""
    add = build.add
    root = add("Div", [source, build.constant("root_2", np.sqrt(2))], f"{name}.root")
    risen = add("Add", [add("Erf", [root], f"{name}.erf"), build.constant("one_float", 1.0)], f"{name}.risen")
    return add("Mul", [add("Mul", [source, risen], f"{name}.twice"), build.constant("half", 0.5)], f"{name}.gelu")


def model_of(made):
    return helper.make_model(
        made,
        producer_name="foretick",
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )


def write(path, made):
    """Writes a graph as it is."""
    model = model_of(made)
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString(deterministic=True))


def quantise(full, path, notes):
    """Weights of `full` in eight bits, one scale a column; `notes` are metadata, name to JSON value.

    Seven of the eight are used: without that, processors that lack VNNI overflow and say otherwise.
    """
    draft = path.with_suffix(".draft")
    kinds = ["MatMul", "Gather"]
    quantize_dynamic(
        full, draft, op_types_to_quantize=kinds, weight_type=QuantType.QInt8, per_channel=True, reduce_range=True
    )
    model = onnx.load(draft)
    draft.unlink()
    model.producer_name, model.producer_version, model.ir_version = "foretick", "", IR_VERSION
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in notes.items()}
    helper.set_model_props(model, {f"foretick.{key}": text for key, text in sorted(texts.items())})
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString(deterministic=True))
