#!/usr/bin/env python3
"""Writes models that would hang, or take all memory. Needs onnx 1.23.2 and numpy. Run in this folder: python make.py"""
import numpy as np
import onnx
from onnx import TensorProto as T, helper as h, numpy_helper as nh

node = h.make_node
value = h.make_tensor_value_info


def save(name, nodes, constants=(), functions=(), opsets=()):
    """A model of the input x [batch, 3] whose score is the tensor `score` [batch, 1]."""
    arrays = [nh.from_array(np.asarray(a), n) for n, a in dict(constants).items()]
    graph = h.make_graph(nodes, name, [value("x", T.FLOAT, ["batch", 3])], [value("score", T.FLOAT, ["batch", 1])], arrays)
    sets = [h.make_opsetid("", 17), *[h.make_opsetid(domain, 1) for domain in opsets]]
    model = h.make_model(graph, opset_imports=sets, ir_version=8, functions=list(functions))
    onnx.save(model, f"{name}.onnx")


mean = node("ReduceMean", ["x"], ["mean"], axes=[1], keepdims=1)
scalar = lambda number, kind: np.array(number, kind)

# A loop of 2^62 rounds, and one that ends when a number is NaN that never is.
body = h.make_graph(
    [node("Identity", ["go_on"], ["again"]), node("Add", ["v", "step"], ["w"])], "body",
    [value("i", T.INT64, []), value("go_on", T.BOOL, []), value("v", T.FLOAT, None)],
    [value("again", T.BOOL, []), value("w", T.FLOAT, None)])
save("loop", [mean, node("Loop", ["rounds", "yes", "mean"], ["score"], body=body)],
     {"rounds": scalar(2**62, np.int64), "yes": scalar(True, bool), "step": np.float32(0)})
until = h.make_graph(
    [node("Add", ["v", "step"], ["w"]), node("Equal", ["w", "w"], ["same"]), node("ReduceMin", ["w"], ["least"], keepdims=0),
     node("IsNaN", ["least"], ["is"]), node("Not", ["is"], ["again"])], "until",
    [value("i", T.INT64, []), value("go_on", T.BOOL, []), value("v", T.FLOAT, None)],
    [value("again", T.BOOL, []), value("w", T.FLOAT, None)])
save("until", [mean, node("Loop", ["", "yes", "mean"], ["score"], body=until)], {"yes": scalar(True, bool), "step": np.float32(0)})

# 400 GB at once; 2^40 numbers by doubling; a tensor for each pair of numbers of a large one.
save("zeros", [mean, node("ConstantOfShape", ["size"], ["zeros"]), node("ReduceSum", ["zeros"], ["sum"], keepdims=0),
               node("Add", ["mean", "sum"], ["score"])], {"size": np.array([10**11], np.int64)})
doubled = [mean] + [node("Concat", [f"d{n}", f"d{n}"], [f"d{n + 1}"], axis=1) for n in range(40)]
doubled[1] = node("Concat", ["x", "x"], ["d1"], axis=1)
save("doubled", doubled + [node("ReduceMean", ["d40"], ["score"], axes=[1], keepdims=1)])
save("wide", [mean, node("Expand", ["mean", "size"], ["wide"]), node("ReduceMean", ["wide"], ["score"], axes=[1], keepdims=1)],
     {"size": np.array([1, 2**36], np.int64)})

# One operator that computes for minutes with little memory, and cannot be stopped: at the load, and in a run.
boxes = [node("ConstantOfShape", ["size4"], ["boxes"]), node("ConstantOfShape", ["size1"], ["ones"])]
rest = [node("NonMaxSuppression", ["boxes", "scores", "most"], ["chosen"]), node("ReduceSum", ["chosen"], ["sum"], keepdims=0),
        node("Cast", ["sum"], ["number"], to=T.FLOAT), node("Add", ["mean", "number"], ["score"])]
count = 2_000_000
sizes = {"size4": np.array([1, count, 4], np.int64), "size1": np.array([1, 1, count], np.int64), "most": np.array([count], np.int64)}
save("operator-at-load", [mean, *boxes, node("Identity", ["ones"], ["scores"]), *rest], sizes)
save("operator", [mean, *boxes, node("ReduceMin", ["mean"], ["least"], keepdims=0), node("Add", ["ones", "least"], ["scores"]), *rest],
     sizes)

# Functions: each calls the one before it twice; one that calls itself; operators that nobody has.
sets = [h.make_opsetid("", 17), h.make_opsetid("own", 1)]
function = lambda name, nodes: h.make_function("own", name, ["a"], ["b"], nodes, sets)
bomb = [function("f0", [node("Neg", ["a"], ["b"])])]
for n in range(1, 40):
    calls = [node(f"f{n - 1}", ["a"], ["c"], domain="own"), node(f"f{n - 1}", ["c"], ["b"], domain="own")]
    bomb.append(function(f"f{n}", calls))
save("functions", [mean, node("f39", ["mean"], ["score"], domain="own")], {}, bomb, ["own"])
save("recursion", [mean, node("f", ["mean"], ["score"], domain="own")], {},
     [function("f", [node("f", ["a"], ["b"], domain="own")])], ["own"])
save("domain", [mean, node("Shell", ["mean"], ["score"], domain="evil.ops")], {}, [], ["evil.ops"])
