#!/usr/bin/env python3
"""Writes the models of this folder as their exporters write them, and the scores that ONNX Runtime gives in Python.

Needs scikit-learn 1.9.1, skl2onnx 1.20.0, lightgbm 4.7.0, xgboost 3.2.0, catboost 1.2.10, onnxmltools 1.16.0,
onnx 1.23.2, onnxruntime 1.32.0, pandas. Run in this folder: python make.py
"""
import json
import os

import numpy as np
import onnx
import onnxruntime as ort
import pandas as pd
from onnx import TensorProto as T, helper as h, numpy_helper as nh

NUMBERS = ["amount", "months", "rate"]
rng = np.random.default_rng(7)
N = 48
table = pd.DataFrame({
    "client": [f"C{n:03}" for n in range(N)],
    "amount": rng.integers(500, 20_000, N),
    "months": rng.integers(6, 240, N),
    "rate": rng.uniform(0.01, 0.9, N).round(3),
    "region": rng.choice(["north", "south", "island"], N),
})
risk = table.rate * 4 - table.months / 120 + (table.region == "island") + rng.normal(0, 0.5, N)
table["bad"] = (risk > risk.median()).astype(int)
table.to_csv("applicants.csv", index=False)
# The numbers as they are read from the table again.
table = pd.read_csv("applicants.csv")
x64 = table[NUMBERS].to_numpy(np.float64)
x32 = x64.astype(np.float32)
y = table.bad.to_numpy()
names = np.where(y == 1, "bad", "good")
three = np.digitize(risk, np.quantile(risk, [0.33, 0.66]))
expected = {}


def run(name, feed, output=None):
    session = ort.InferenceSession(f"{name}.onnx")
    wanted = [output] if output else None
    return session.run(wanted, feed)


def keep(name, scores):
    scores = np.asarray(scores, dtype=np.float64)
    expected[name] = scores.reshape(len(scores), -1).tolist()


def maps(rows, keys):
    return [[row[key] for key in keys] for row in rows]


def sklearn():
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, StringTensorType

    def save(name, model):
        onnx.save(model, f"{name}.onnx")

    clf = make_pipeline(StandardScaler(), LogisticRegression()).fit(x64, y)
    save("sklearn-default", to_onnx(clf, initial_types=[("X", FloatTensorType([None, 3]))]))
    rows = run("sklearn-default", {"X": x32})[1]
    keep("sklearn-default", maps(rows, [0, 1]))
    save("sklearn-double", to_onnx(clf, initial_types=[("X", DoubleTensorType([None, 3]))], options={"zipmap": False}))
    scores = run("sklearn-double", {"X": x64})[1]
    assert scores.dtype == np.float64 and abs(scores - clf.predict_proba(x64)).max() < 1e-9
    keep("sklearn-double", scores)
    text = make_pipeline(StandardScaler(), LogisticRegression()).fit(x64, names)
    save("sklearn-names", to_onnx(text, initial_types=[("X", FloatTensorType([None, 3]))]))
    keep("sklearn-names", maps(run("sklearn-names", {"X": x32})[1], ["bad", "good"]))
    # ONNX Runtime has no maps of float64, but exporters write them.
    save("sklearn-double-map", to_onnx(text, initial_types=[("X", DoubleTensorType([None, 3]))]))
    keep("sklearn-double-map", text.predict_proba(x64))
    save("sklearn-names-tensor", to_onnx(text, initial_types=[("X", FloatTensorType([None, 3]))], options={"zipmap": False}))
    save("sklearn-columns-of-classes", to_onnx(clf, initial_types=[("X", FloatTensorType([None, 3]))], options={"zipmap": "columns"}))
    columns = ColumnTransformer([
        ("numbers", StandardScaler(), NUMBERS), ("texts", OneHotEncoder(handle_unknown="ignore"), ["region"])])
    mixed = make_pipeline(columns, LogisticRegression()).fit(table[NUMBERS + ["region"]], y)
    types = [(name, FloatTensorType([None, 1])) for name in NUMBERS] + [("region", StringTensorType([None, 1]))]
    save("sklearn-categories", to_onnx(mixed, initial_types=types))
    feed = {name: table[[name]].to_numpy(np.float32) for name in NUMBERS} | {"region": table[["region"]].to_numpy(object)}
    keep("sklearn-categories", maps(run("sklearn-categories", feed)[1], [0, 1]))
    forest = RandomForestRegressor(4, max_depth=3, random_state=1).fit(x32, risk)
    save("sklearn-regressor", to_onnx(forest, initial_types=[("X", FloatTensorType([None, 3]))]))
    keep("sklearn-regressor", run("sklearn-regressor", {"X": x32})[0])


def boosted():
    import catboost
    import lightgbm
    import onnxmltools
    import xgboost
    from onnxmltools.convert.common.data_types import FloatTensorType

    types = [("input", FloatTensorType([None, 3]))]
    light = lightgbm.LGBMClassifier(n_estimators=5, max_depth=3, min_child_samples=3, verbose=-1).fit(x32, y)
    onnx.save(onnxmltools.convert_lightgbm(light, initial_types=types, target_opset=15), "lightgbm.onnx")
    keep("lightgbm", maps(run("lightgbm", {"input": x32})[1], [0, 1]))
    assert abs(np.array(expected["lightgbm"]) - light.predict_proba(x32)).max() < 1e-6
    extreme = xgboost.XGBClassifier(n_estimators=5, max_depth=3).fit(x32, y)
    onnx.save(onnxmltools.convert_xgboost(extreme, initial_types=types, target_opset=15), "xgboost.onnx")
    keep("xgboost", run("xgboost", {"input": x32})[1])
    assert abs(np.array(expected["xgboost"]) - extreme.predict_proba(x32)).max() < 1e-6
    cat = catboost.CatBoostClassifier(iterations=5, depth=3, verbose=0, random_seed=1, allow_writing_files=False).fit(x32, y)
    cat.save_model("catboost.onnx", format="onnx")
    keep("catboost", maps(run("catboost", {"features": x32})[1], [0, 1]))
    assert abs(np.array(expected["catboost"]) - cat.predict_proba(x32)).max() < 1e-6


def graph(name, nodes, inputs, outputs, constants, opset=17):
    value = lambda kind: [h.make_tensor_value_info(n, t, s) for n, t, s in kind]
    arrays = [nh.from_array(a, n) for n, a in constants.items()]
    g = h.make_graph(nodes, name, value(inputs), value(outputs), arrays)
    model = h.make_model(g, opset_imports=[h.make_opsetid("", opset)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def dense(name, classes, end, shape):
    """A small network on scaled numbers, whose last operator is `end`."""
    some = np.random.default_rng(3)
    constants = {
        "mean": x32.mean(0), "std": x32.std(0), "w1": some.normal(0, 1, (3, 6)).astype(np.float32),
        "w2": some.normal(0, 2, (6, classes)).astype(np.float32), "b2": some.normal(0, 1, classes).astype(np.float32)}
    nodes = [h.make_node("Sub", ["x", "mean"], ["c"]), h.make_node("Div", ["c", "std"], ["z"]),
             h.make_node("MatMul", ["z", "w1"], ["a"]), h.make_node("Tanh", ["a"], ["t"]),
             h.make_node("Gemm", ["t", "w2", "b2"], ["logits"])] + end
    if any(node.op_type == "Squeeze" for node in end):
        constants["axis"] = np.array([1], np.int64)
    return graph(name, nodes, [("x", T.FLOAT, ["batch", 3])], [("out", T.FLOAT, shape)], constants)


def hand_made():
    node = h.make_node
    one = lambda op, **more: [node(op, ["logits"], ["out"], **more)]
    for name, classes, end, shape in [
        ("logits-two", 2, one("Identity"), ["batch", 2]),
        ("logits-three", 3, one("Identity"), ["batch", 3]),
        ("softmax-three", 3, one("Softmax", axis=1), ["batch", 3]),
        ("sigmoid-three", 3, one("Sigmoid"), ["batch", 3]),
        ("logit-one", 1, one("Identity"), ["batch", 1]),
        ("sigmoid-one", 1, one("Sigmoid"), ["batch", 1]),
        ("sigmoid-flat", 1, [node("Sigmoid", ["logits"], ["p"]), node("Squeeze", ["p", "axis"], ["out"])], ["batch"]),
    ]:
        onnx.save(dense(name, classes, end, shape), f"{name}.onnx")
        keep(name, run(name, {"x": x32})[0])
    # Probabilities, but for the amount of a row that is above 15,000.
    constants = {"first": np.array([0], np.int64), "most": np.float32(15_000), "half": np.float32(0.5), "one": np.float32(1),
                 "three": np.float32(3)}
    nodes = [node("Gather", ["x", "first"], ["amount"], axis=1), node("Greater", ["amount", "most"], ["is"]),
             node("Greater", ["amount", "far"], ["is_far"]), node("Not", ["is_far"], ["is_near"]),
             node("And", ["is", "is_near"], ["odd"]), node("Where", ["odd", "three", "half"], ["p"]),
             node("Sub", ["one", "p"], ["q"]), node("Concat", ["q", "p"], ["out"], axis=1)]
    constants["far"] = np.float32(20_000)
    onnx.save(graph("sometimes", nodes, [("x", T.FLOAT, ["batch", 3])], [("out", T.FLOAT, ["batch", 2])], constants),
              "sometimes-none.onnx")
    keep("sometimes-none", run("sometimes-none", {"x": x32})[0])
    # The weights in a second file, as exporters write large models.
    model = onnx.load("softmax-three.onnx")
    if os.path.exists("external.weights"):
        os.remove("external.weights")
    onnx.save_model(model, "external.onnx", save_as_external_data=True, location="external.weights", size_threshold=0)
    keep("external", run("external", {"x": x32})[0])
    bert()


def bert():
    """The inputs and the output of a transformer for sequence classification, with one small layer."""
    some = np.random.default_rng(5)
    d, normal = 8, lambda *shape: some.normal(0, 0.6, shape).astype(np.float32)
    constants = {
        "words": normal(40, d), "kinds": normal(2, d), "q": normal(d, d), "k": normal(d, d), "v": normal(d, d),
        "head": normal(d, 3), "bias": normal(3), "axes1": np.array([1], np.int64), "far": np.float32(-1e4),
        "one": np.float32(1), "root": np.float32(d ** 0.5), "first": np.int64(0)}
    node = h.make_node
    nodes = [
        node("Gather", ["words", "input_ids"], ["e1"]), node("Gather", ["kinds", "token_type_ids"], ["e2"]),
        node("Add", ["e1", "e2"], ["e"]), node("Cast", ["attention_mask"], ["m"], to=T.FLOAT),
        node("Sub", ["one", "m"], ["away"]), node("Mul", ["away", "far"], ["away2"]), node("Unsqueeze", ["away2", "axes1"], ["away3"]),
        node("MatMul", ["e", "q"], ["eq"]), node("MatMul", ["e", "k"], ["ek"]), node("MatMul", ["e", "v"], ["ev"]),
        node("Transpose", ["ek"], ["ekt"], perm=[0, 2, 1]), node("MatMul", ["eq", "ekt"], ["s"]), node("Div", ["s", "root"], ["s2"]),
        node("Add", ["s2", "away3"], ["s3"]), node("Softmax", ["s3"], ["p"], axis=2), node("MatMul", ["p", "ev"], ["o"]),
        node("Gather", ["o", "first"], ["cls"], axis=1), node("MatMul", ["cls", "head"], ["l"]), node("Add", ["l", "bias"], ["logits"])]
    open_shape = ["batch_size", "sequence_length"]
    inputs = [(name, T.INT64, open_shape) for name in ["input_ids", "attention_mask", "token_type_ids"]]
    onnx.save(graph("bert", nodes, inputs, [("logits", T.FLOAT, ["batch_size", 3])], constants), "bert.onnx")
    # The numbers of the pieces in `vocabulary.txt`, one headline a row, without padding.
    headlines = [[2, 5, 8, 3], [2, 6, 9, 10, 3], [2, 7, 8, 11, 12, 5, 3]]
    scores = []
    for ids in headlines:
        ids = np.array([ids], np.int64)
        logits = run("bert", {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)})[0]
        e = np.exp(logits - logits.max())
        scores.append((e / e.sum())[0])
    keep("bert", scores)


sklearn()
boosted()
hand_made()
with open("expected.json", "w") as file:
    rows = ",\n".join(f'"{name}": {json.dumps(scores)}' for name, scores in expected.items())
    file.write("{\n" + rows + "\n}\n")
