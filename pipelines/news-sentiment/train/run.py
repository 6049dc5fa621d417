"""The model file by ONNX Runtime: probabilities, metadata and time. Needs neither PyTorch nor onnx."""

import json
import time

import numpy as np
import onnxruntime

from prepare import PIPELINE

MODEL = PIPELINE / "model.onnx"


class Model:
    """One file, one thread, one headline at a time, as the engine does."""

    def __init__(self, file):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        self.metadata = self.session.get_modelmeta().custom_metadata_map

    def read(self, key):
        return json.loads(self.metadata[f"foretick.{key}"])

    def __call__(self, rows):
        return self.session.run(None, {"rows": rows})[0]

    def each(self, ids):
        """Probabilities of every headline's pieces [N, 64], asked one by one."""
        return np.concatenate([self(row) for row in rows(ids)[:, None]])

    def milliseconds(self, length, runs=200):
        """Time of one headline of so many pieces: the middle, and the quickest tenth."""
        ids = np.zeros((1, 64))
        ids[0, :length] = np.arange(1000, 1000 + length)
        taken = []
        for _ in range(runs):
            begin = time.perf_counter()
            self(rows(ids))
            taken.append(1e3 * (time.perf_counter() - begin))
        return [float(value) for value in np.percentile(taken, [50, 10])]


def rows(ids):
    """Pieces as the model's input."""
    return np.asarray(ids, dtype=np.float32)[:, None]
