"""The model file by ONNX Runtime: PDs, reasons, metadata and time. Needs neither PyTorch nor onnx."""

import json
import time

import numpy as np
import onnxruntime


class Model:
    """One file, one thread, one window at a time unless told otherwise."""

    def __init__(self, file):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        self.metadata = self.session.get_modelmeta().custom_metadata_map

    def read(self, key):
        return json.loads(self.metadata[f"foretick.{key}"])

    def __call__(self, rows):
        return self.session.run(None, {"rows": rows})

    def each(self, rows):
        """PD and reasons of every window, asked one by one as the engine does."""
        said = [self(window[None]) for window in rows]
        return [np.concatenate(column) for column in zip(*said)]

    def microseconds(self, rows, rounds=1500):
        """The middle time of one window."""
        taken = []
        for at in range(rounds):
            window = rows[at % len(rows)][None]
            begin = time.perf_counter()
            self(window)
            taken.append(time.perf_counter() - begin)
        return float(np.median(taken[rounds // 10 :]) * 1e6)
