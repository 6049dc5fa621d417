"""Runs model.onnx in ONNX Runtime, on one thread as the engine does. Needs no training library."""

import time
from pathlib import Path

import numpy as np
import onnxruntime

PIPELINE = Path(__file__).resolve().parents[1]
MODEL = PIPELINE / "model.onnx"


def session(path):
    """The model on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def run(path, cells, batch=256):
    """Probabilities and reasons of raw rows."""
    model, cells = session(path), np.asarray(cells, dtype=np.float32)
    parts = [model.run(None, {"rows": cells[at : at + batch, None]}) for at in range(0, len(cells), batch)]
    return [np.concatenate(each) for each in zip(*parts)]


def microseconds(path, cells, runs=5000):
    """Time of one row: the quickest tenth of many runs, on one thread, buffers bound beforehand."""
    model = session(path)
    binding = model.io_binding()
    rows = onnxruntime.OrtValue.ortvalue_from_numpy(cells[:1, None])
    binding.bind_ortvalue_input("rows", rows)
    for output in model.get_outputs():
        binding.bind_ortvalue_output(
            output.name, onnxruntime.OrtValue.ortvalue_from_shape_and_type([1, output.shape[1]], np.float32)
        )
    took = []
    for _ in range(runs):
        begin = time.perf_counter_ns()
        model.run_with_iobinding(binding)
        took.append(time.perf_counter_ns() - begin)
    return float(np.percentile(took, 10)) / 1000
