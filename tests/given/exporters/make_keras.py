#!/usr/bin/env python3
"""Writes `keras-sigmoid.onnx` and `keras-softmax.onnx` as Keras exports them, and adds the scores that Keras gives.

Needs tensorflow-cpu 2.21.0, keras 3.15.1, tf2onnx 1.17.0 and pandas, in an environment of their own. Run after make.py.
"""
import json
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import numpy as np
import pandas as pd

keras.utils.set_random_seed(3)
table = pd.read_csv("applicants.csv")
x = table[["amount", "months", "rate"]].to_numpy(np.float32)
with open("expected.json") as file:
    expected = json.load(file)
for name, units in [("sigmoid", 1), ("softmax", 3)]:
    scale = keras.layers.Rescaling([1e-4, 1e-2, 1.0])
    layers = [keras.Input((3,), name="numbers"), scale, keras.layers.Dense(5, "relu"), keras.layers.Dense(units, name)]
    model = keras.Sequential(layers)
    expected[f"keras-{name}"] = model.predict(x, verbose=0).astype(float).tolist()
    model.export(f"keras-{name}.onnx", format="onnx", verbose=False)
with open("expected.json", "w") as file:
    rows = ",\n".join(f'"{name}": {json.dumps(scores)}' for name, scores in expected.items())
    file.write("{\n" + rows + "\n}\n")
