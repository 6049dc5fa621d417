"""Small recurrent networks built node by node, for what the exporters do not write.

    python make_onnx.py             # writes onnx-*.onnx beside this file

Last run with onnx 1.23.2. The weights are random, with a bias of 2 on the gates that keep the state.
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HERE = Path(__file__).parent
FEATURES, STEPS, FIRST, SECOND = 3, 7, 8, 5
OPSET, IR_VERSION = 17, 8
GATES = {"LSTM": 4, "GRU": 3}


class Graph:
    """Nodes and constants in the order of their addition; `tip` is what the next layer takes."""

    def __init__(self, seed, batch=1, steps=STEPS):
        self.draw = np.random.default_rng(seed)
        self.nodes, self.constants = [], []
        self.window = [batch, steps, FEATURES]
        self.tip, self.width = "window", FEATURES

    def constant(self, name, values, kind=np.float32):
        self.constants.append(numpy_helper.from_array(np.asarray(values, kind), name))
        return name

    def random(self, name, *shape):
        return self.constant(name, self.draw.uniform(-0.6, 0.6, shape))

    def node(self, kind, inputs, output, **settings):
        outputs = [output] if isinstance(output, str) else output
        self.nodes.append(helper.make_node(kind, inputs, outputs, **settings))
        return outputs[0]

    def step_first(self):
        self.tip = self.node("Transpose", [self.tip], "steps", perm=[1, 0, 2])

    def layer(self, kind, units, *, bias=True, more=(), **settings):
        """One layer; the tip becomes its sequence, and its last output is returned."""
        at = sum(node.op_type in GATES for node in self.nodes)
        sums = GATES[kind] * units
        b = self.draw.uniform(-0.6, 0.6, (1, 2 * sums))
        gate = 2 if kind == "LSTM" else 0
        b[:, gate * units : (gate + 1) * units] += 2
        inputs = [
            self.tip,
            self.random(f"w{at}", 1, sums, self.width),
            self.random(f"r{at}", 1, sums, units),
            self.constant(f"b{at}", b) if bias else "",
            *more,
        ]
        outputs = [f"y{at}", f"h{at}"]
        self.node(kind, inputs, outputs, hidden_size=units, **settings)
        one, zero = self.constant(f"one{at}", [1], np.int64), self.constant(f"zero{at}", [0], np.int64)
        self.tip = self.node("Squeeze", [f"y{at}", one], f"sequence{at}")
        self.width = units
        return self.node("Squeeze", [f"h{at}", zero], f"last{at}")

    def dense(self, last, outputs, name="score"):
        w, b = self.random(f"{name}_w", self.width, outputs), self.random(f"{name}_b", outputs)
        return self.node("Gemm", [last, w, b], name)

    def write(self, name, output="score", element=TensorProto.FLOAT):
        window = helper.make_tensor_value_info("window", element, self.window)
        score = helper.make_tensor_value_info(output, TensorProto.FLOAT, [None, None])
        graph = helper.make_graph(self.nodes, name, [window], [score], self.constants)
        opset = helper.make_opsetid("", OPSET)
        model = helper.make_model(graph, opset_imports=[opset], ir_version=IR_VERSION)
        onnx.checker.check_model(model)
        path = HERE / f"onnx-{name}.onnx"
        path.write_bytes(model.SerializeToString(deterministic=True))
        print(path.name, path.stat().st_size)


def two_layers(seed, kind, settings=None, **window):
    graph = Graph(seed, **window)
    graph.step_first()
    graph.layer(kind, FIRST, **(settings or {}))
    return graph, graph.layer(kind, SECOND)


def plain(name, seed, kind, *, settings=None, **window):
    graph, last = two_layers(seed, kind, settings, **window)
    graph.dense(last, 2)
    graph.write(name)


def started(name, kind):
    """From states that are not zero, over the whole length."""
    graph = Graph(31)
    graph.step_first()
    length = graph.constant("length", [STEPS], np.int32)
    states = [graph.random(f"start{at}", 1, 1, FIRST) for at in range(2 if kind == "LSTM" else 1)]
    graph.dense(graph.layer(kind, FIRST, more=[length, *states]), 2)
    graph.write(name)


def bare():
    """The last output of one layer is the score: no head."""
    graph = Graph(32)
    graph.step_first()
    graph.layer("GRU", SECOND, linear_before_reset=1)
    graph.write("bare", "last0")


def mixed():
    """An LSTM on a GRU, all rows scaled in four ways, no bias in a MatMul, then one added."""
    graph = Graph(33, batch="N", steps="T")
    for kind in ("Sub", "Div", "Mul", "Add"):
        operand = graph.constant(f"by_{kind}", graph.draw.uniform(0.5, 1.5, (1, 1, FEATURES)))
        graph.tip = graph.node(kind, [graph.tip, operand], f"rows_{kind}")
    two = graph.constant("two", 2.0)
    graph.tip = graph.node("Sub", [two, graph.tip], "turned")
    graph.step_first()
    graph.layer("GRU", FIRST)
    last = graph.layer("LSTM", SECOND, bias=False)
    product = graph.node("MatMul", [last, graph.random("mw", SECOND, 4)], "product")
    graph.node("Add", [graph.random("mb", 4), product], "sums")
    graph.node("Tanh", ["sums"], "tanh")
    graph.width = 4
    graph.dense("tanh", 3)
    graph.node("Sigmoid", ["score"], "chances")
    graph.write("mixed", "chances")


def shared_bias():
    """Two layers with one bias tensor."""
    graph = Graph(34)
    graph.step_first()
    graph.layer("LSTM", SECOND)
    last = graph.layer("LSTM", SECOND)
    graph.nodes[-3].input[3] = "b0"
    graph.constants = [one for one in graph.constants if one.name != "b1"]
    graph.dense(last, 2)
    graph.write("shared-bias")


def peepholes():
    graph = Graph(27)
    graph.step_first()
    last = graph.layer("LSTM", FIRST, more=["", "", "", graph.random("p", 1, 3 * FIRST)])
    graph.dense(last, 2)
    graph.write("refused-peepholes")


def cell_state():
    graph = Graph(35)
    graph.step_first()
    graph.layer("LSTM", SECOND)
    layer = next(node for node in graph.nodes if node.op_type == "LSTM")
    layer.output.append("c0")
    zero = graph.constant("zero", [0], np.int64)
    graph.dense(graph.node("Squeeze", ["c0", zero], "cell"), 2)
    graph.write("refused-cell-state")


def scale_by_step():
    graph = Graph(36)
    graph.tip = graph.node("Mul", [graph.tip, graph.random("fade", 1, STEPS, FEATURES)], "faded")
    graph.step_first()
    graph.dense(graph.layer("LSTM", SECOND), 2)
    graph.write("refused-scale-by-step")


def skip():
    """The newest row stands beside the last output."""
    graph = Graph(37)
    graph.step_first()
    last = graph.layer("GRU", SECOND)
    index = graph.constant("newest", STEPS - 1, np.int64)
    row = graph.node("Gather", ["steps", index], "row", axis=0)
    joined = graph.node("Concat", [last, row], "joined", axis=1)
    graph.width += FEATURES
    graph.dense(joined, 2)
    graph.write("refused-skip")


def reversed_rows():
    graph = Graph(38)
    graph.step_first()
    bounds = [graph.constant(name, [at], np.int64) for name, at in
              (("from", -1), ("to", -(2**31)), ("axis", 0), ("stride", -1))]
    graph.tip = graph.node("Slice", [graph.tip, *bounds], "backwards")
    graph.dense(graph.layer("GRU", SECOND), 2)
    graph.write("refused-reversed-rows")


def layer_norm():
    graph, last = two_layers(39, "LSTM")
    gain = graph.random("gain", SECOND)
    graph.dense(graph.node("LayerNormalization", [last, gain], "even"), 2)
    graph.write("refused-layer-norm")


def half():
    graph = Graph(40)
    graph.tip = graph.node("Cast", [graph.tip], "wide", to=TensorProto.FLOAT)
    graph.step_first()
    graph.dense(graph.layer("LSTM", SECOND), 2)
    graph.write("refused-half", element=TensorProto.FLOAT16)


def main():
    plain("lstm", 21, "LSTM")
    plain("lstm-symbolic", 22, "LSTM", batch="B", steps=None)
    plain("lstm-no-bias", 23, "LSTM", settings={"bias": False})
    plain("gru", 24, "GRU")
    plain("gru-reset-after", 25, "GRU", settings={"linear_before_reset": 1}, batch="B")
    plain("gru-no-bias", 26, "GRU", settings={"bias": False, "linear_before_reset": 1})
    started("lstm-started", "LSTM")
    started("gru-started", "GRU")
    bare()
    mixed()
    shared_bias()
    peepholes()
    plain("refused-clip", 28, "LSTM", settings={"clip": 3.0})
    plain("refused-input-forget", 29, "LSTM", settings={"input_forget": 1})
    plain("refused-reverse", 30, "GRU", settings={"direction": "reverse"})
    plain("refused-batch", 41, "GRU", batch=8)
    cell_state()
    scale_by_step()
    skip()
    reversed_rows()
    layer_norm()
    half()


if __name__ == "__main__":
    main()
