"""What an incremental form of causal convolutions and of causal attention costs through ONNX Runtime.

    python bench/causal_models.py FOLDER            # writes the models there and measures them
    python bench/causal_models.py FOLDER --write    # only writes them

For each model: one whole window, beside the smallest graphs that give the same score from what the windows
before left behind. All cases take turns in one process on one thread; CPU time of that thread, median over
the rounds. Last run with onnx 1.23.2 and onnxruntime 1.32.0.
"""

import argparse
import statistics
import time
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

OPSET, IR_VERSION = 17, 8
KERNEL, OUTPUTS, HIDDEN = 3, 3, 64
DILATIONS = (1, 2, 4, 8)
WIDTH, HEADS, INNER, LAYERS = 64, 4, 256, 2
ROUNDS, ROUND_SECONDS = 21, 3e-3


class Graph:
    """Nodes and constants in the order of their addition; `tip` is what the next one takes."""

    def __init__(self, seed=1):
        self.draw = np.random.default_rng(seed)
        self.nodes, self.constants = [], []
        self.tip = "window"

    def name(self):
        return f"n{len(self.nodes) + len(self.constants)}"

    def constant(self, values, kind=np.float32):
        name = self.name()
        self.constants.append(numpy_helper.from_array(np.asarray(values, kind), name))
        return name

    def random(self, *shape, fan):
        return self.constant(self.draw.normal(0, fan**-0.5, shape))

    def node(self, kind, *inputs, **settings):
        name = self.name()
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **settings))
        return name

    def dense(self, x, inputs, outputs):
        return self.node("Gemm", x, self.random(inputs, outputs, fan=inputs), self.random(outputs, fan=9))

    def product(self, x, inputs, outputs):
        sums = self.node("MatMul", x, self.random(inputs, outputs, fan=inputs))
        return self.node("Add", sums, self.random(outputs, fan=9))

    def norm(self, x):
        return self.node("LayerNormalization", x, self.constant(np.ones(WIDTH)), axis=-1)

    def model(self, inputs, outputs):
        def values(shapes):
            return [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in shapes.items()]

        graph = helper.make_graph(self.nodes, "causal", values(inputs), values(outputs), self.constants)
        opset = helper.make_opsetid("", OPSET)
        model = helper.make_model(graph, opset_imports=[opset], ir_version=IR_VERSION)
        onnx.checker.check_model(model)
        return model.SerializeToString(deterministic=True)


def tcn(rows, features, channels, padded=True):
    """Four dilated convolutions with residual sums; the last column is the window's."""
    graph = Graph()
    x, inputs = graph.node("Transpose", "window", perm=[0, 2, 1]), features
    left = rows
    for dilation in DILATIONS:
        reach = (KERNEL - 1) * dilation
        w, b = graph.random(channels, inputs, KERNEL, fan=KERNEL * inputs), graph.random(channels, fan=9)
        pads = [reach if padded else 0, 0]
        y = graph.node("Relu", graph.node("Conv", x, w, b, dilations=[dilation], pads=pads))
        if inputs != channels:
            x = graph.node("Conv", x, graph.random(channels, inputs, 1, fan=inputs))
        if not padded:
            bounds = [graph.constant([at], np.int64) for at in (reach, left, 2)]
            x = graph.node("Slice", x, *bounds)
            left -= reach
        x, inputs = graph.node("Relu", graph.node("Add", x, y)), channels
    last = graph.node("Gather", x, graph.constant(-1, np.int64), axis=2)
    graph.node("Identity", graph.dense(last, channels, OUTPUTS))
    return finish(graph, rows, features)


def finish(graph, rows, features):
    graph.nodes[-1].output[0] = "scores"
    return graph.model({"window": [1, rows, features]}, {"scores": [1, OUTPUTS]})


def columns(graph, rows, features, channels):
    """Four convolutions without padding: the tip is their columns; returns how many."""
    x, inputs = graph.node("Transpose", "window", perm=[0, 2, 1]), features
    for _ in DILATIONS:
        w, b = graph.random(channels, inputs, KERNEL, fan=KERNEL * inputs), graph.random(channels, fan=9)
        x, inputs = graph.node("Relu", graph.node("Conv", x, w, b)), channels
    graph.tip = x
    return rows - len(DILATIONS) * (KERNEL - 1)


def dense_head(graph, x, inputs):
    hidden = graph.node("Relu", graph.dense(x, inputs, HIDDEN))
    graph.node("Identity", graph.dense(hidden, HIDDEN, OUTPUTS))


def flat(rows, features, channels):
    graph = Graph()
    count = columns(graph, rows, features, channels)
    dense_head(graph, graph.node("Flatten", graph.tip), count * channels)
    return finish(graph, rows, features)


def mean(rows, features, channels):
    graph = Graph()
    columns(graph, rows, features, channels)
    dense_head(graph, graph.node("Flatten", graph.node("GlobalAveragePool", graph.tip)), channels)
    return finish(graph, rows, features)


def one_column(features, channels):
    """What `flat` and `mean` need anew at a row."""
    graph = Graph()
    rows = len(DILATIONS) * (KERNEL - 1) + 1
    columns(graph, rows, features, channels)
    graph.nodes[-1].output[0] = "column"
    return graph.model({"window": [1, rows, features]}, {"column": [1, channels, 1]})


def head_alone(inputs):
    graph = Graph()
    dense_head(graph, "columns", inputs)
    graph.nodes[-1].output[0] = "scores"
    return graph.model({"columns": [1, inputs]}, {"scores": [1, OUTPUTS]})


def attention(rows, features, batch=1, steps=None):
    """A causal encoder over a whole window, or `steps` = 1: a token for each of `batch` windows in flight,
    with the keys and values of `rows` tokens beside it."""
    graph, size = Graph(), WIDTH // HEADS
    given = {"window": [batch, steps or rows, features]}
    given["mask"] = [1, 1, rows, rows] if steps is None else [batch, 1, 1, rows + 1]
    results = {"scores": [batch, OUTPUTS]}
    x = graph.product("window", features, WIDTH)
    shape = graph.constant([0, 0, HEADS, size], np.int64)
    for layer in range(LAYERS):
        z = graph.norm(x)
        q, k, v = (graph.node("Reshape", graph.product(z, WIDTH, WIDTH), shape) for _ in range(3))
        q, k, v = (graph.node("Transpose", one, perm=[0, 2, 1, 3]) for one in (q, k, v))
        if steps:
            for kind, new in (("keys", k), ("values", v)):
                name = f"{kind}{layer}"
                given[name] = [batch, HEADS, rows, size]
                results[f"{name}_next"] = [batch, HEADS, rows + 1, size]
                graph.nodes.append(helper.make_node("Concat", [name, new], [f"{name}_next"], axis=2))
            k, v = f"keys{layer}_next", f"values{layer}_next"
        turned = graph.node("Transpose", k, perm=[0, 1, 3, 2])
        scaled = graph.node("Mul", graph.node("MatMul", q, turned), graph.constant(size**-0.5))
        weights = graph.node("Softmax", graph.node("Add", scaled, "mask"), axis=-1)
        mixed = graph.node("Transpose", graph.node("MatMul", weights, v), perm=[0, 2, 1, 3])
        joined = graph.node("Reshape", mixed, graph.constant([0, 0, WIDTH], np.int64))
        x = graph.node("Add", x, graph.product(joined, WIDTH, WIDTH))
        inner = graph.node("Relu", graph.product(graph.norm(x), WIDTH, INNER))
        x = graph.node("Add", x, graph.product(inner, INNER, WIDTH))
    last = graph.node("Gather", x, graph.constant(-1, np.int64), axis=1)
    scores = graph.dense(last, WIDTH, OUTPUTS)
    graph.nodes.append(helper.make_node("Identity", [scores], ["scores"]))
    return graph.model(given, results)


def cases():
    """Name, and the models whose costs add up, as (column, bytes)."""
    for rows in (50, 100):
        for features in (8, 40):
            for channels in (32, 64):
                shape = (rows, features, channels)
                name = f"T{rows}-F{features}-C{channels}"
                reach = 1 + (KERNEL - 1) * sum(DILATIONS)
                yield f"tcn-{name}", tcn(*shape), [tcn(reach, features, channels, padded=False)]
                column, count = one_column(features, channels), rows - 2 * len(DILATIONS)
                yield f"flat-{name}", flat(*shape), [column, head_alone(count * channels)]
                yield f"mean-{name}", mean(*shape), [column, head_alone(channels)]
        name = f"attention-T{rows}-F40"
        yield name, attention(rows, 40), [attention(rows - 1, 40, steps=1)]
        yield f"{name}, {rows - 1} in flight", None, [attention(rows - 1, 40, rows - 1, steps=1)]


class Timed:
    """A session with its input bound, and how long runs took."""

    def __init__(self, model):
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        draw, self.binding, self.rounds = np.random.default_rng(2), self.session.io_binding(), []
        for given in self.session.get_inputs():
            values = draw.normal(size=given.shape).astype(np.float32)
            if given.name == "mask":
                values = np.triu(np.full(given.shape, -1e9, np.float32), given.shape[-1] - given.shape[-2] + 1)
            self.binding.bind_ortvalue_input(given.name, ort.OrtValue.ortvalue_from_numpy(values))
        for result in self.session.get_outputs():
            room = ort.OrtValue.ortvalue_from_shape_and_type(result.shape, np.float32)
            self.binding.bind_ortvalue_output(result.name, room)
        self.calls = 1
        self.calls = max(1, int(ROUND_SECONDS / min(self.round() for _ in range(5))))
        self.rounds.clear()

    def round(self):
        run, binding = self.session.run_with_iobinding, self.binding
        start = time.thread_time_ns()
        for _ in range(self.calls):
            run(binding)
        self.rounds.append((time.thread_time_ns() - start) / self.calls / 1e9)
        return self.rounds[-1]

    def microseconds(self):
        return statistics.median(self.rounds) * 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    table = []
    for name, window, parts in cases():
        if window:
            (arguments.folder / f"{name}.onnx").write_bytes(window)
        if not arguments.write:
            table.append((name, window and Timed(window), [Timed(part) for part in parts]))
    for _ in range(ROUNDS):
        for _, window, parts in table:
            for one in [window, *parts]:
                one and one.round()
    for name, window, parts in table:
        whole = f"{window.microseconds():8.1f}" if window else " " * 8
        print(f"{name:32} {whole} {sum(part.microseconds() for part in parts):8.1f}", flush=True)


if __name__ == "__main__":
    main()
