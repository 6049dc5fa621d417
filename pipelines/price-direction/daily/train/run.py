"""The model file by ONNX Runtime: probabilities, metadata and time. Needs neither PyTorch nor onnx."""

import json
import time

import numpy as np
import onnxruntime


class Model:
    """One file, one thread, one window at a time as the engine asks."""

    def __init__(self, file):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        self.metadata = self.session.get_modelmeta().custom_metadata_map

    def read(self, key):
        return json.loads(self.metadata[f"foretick.{key}"])

    def up(self, windows):
        """The probability of up of each window of rows."""
        said = [self.session.run(None, {"window": window[None]})[0] for window in windows]
        return np.concatenate(said)[:, 1].astype(np.float64)

    def microseconds(self, windows, rounds=2000):
        """The middle time of one window."""
        taken = []
        for at in range(rounds):
            window = windows[at % len(windows)][None]
            begin = time.perf_counter()
            self.session.run(None, {"window": window})
            taken.append(time.perf_counter() - begin)
        return float(np.median(taken[rounds // 10 :]) * 1e6)
