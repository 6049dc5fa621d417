"""Labelled financial tweets to news items and labels; items to piece ids for training.

    python prepare.py [--split train|valid]

writes items.SPLIT.jsonl (topic news.items.v1) and labels.SPLIT.jsonl to out/news-sentiment. They
are as the file has them: `foretick features` cleans and cuts, with the code that runs live.
"""

import argparse
import csv
import hashlib
import html
import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np

PIPELINE = Path(__file__).resolve().parents[1]
ROOT = PIPELINE.parents[1]
OUT = ROOT / "out" / PIPELINE.name
FILES = {"train": "tfns_train_9543.csv", "valid": "tfns_valid_2388.csv"}
LABELS = ["bearish", "neutral", "bullish"]
# The files number bearish, bullish, neutral.
OUTCOME = {"0": 0, "1": 2, "2": 1}
# Nothing says when an item came; one a second from here on keeps them apart and in order.
BEGIN_S = 1_577_836_800  # 2020-01-01T00:00:00Z
# A tweet of fewer words says too little to learn from.
WORDS_MIN = 4
# Numbers in a row.
POSITIONS = 64


@dataclass
class Item:
    """One headline, and what it says: a place in LABELS."""

    id: str
    headline: str
    outcome: int


def data():
    """FORETICK_DATA names the data's folder."""
    return Path(os.environ.get("FORETICK_DATA", ROOT / "../shared/data")).resolve() / "news"


def source(split):
    """The file of a split."""
    path = data() / "tfns" / FILES[split]
    if not path.is_file():
        raise SystemExit(f"while looking for headlines: {path} is not there; set FORETICK_DATA to the data folder")
    return path


def read(split):
    """The items of a split in the order of its file."""
    with source(split).open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    first = 1 if split == "train" else 10_001
    return [Item(f"tfns-{at:06}", line["text"], OUTCOME[line["label"]]) for at, line in enumerate(lines, first)]


def tweets():
    """Unlabelled tweets about companies, each once, in the order of the file: to learn from the teacher."""
    path = data() / "stocknet" / "tweets_by_time.jsonl.zst"
    if not path.is_file():
        raise SystemExit(f"while looking for tweets: {path} is not there; set FORETICK_DATA to the data folder")
    lines = subprocess.run(["zstd", "-dcq", path], check=True, capture_output=True).stdout.decode().splitlines()
    return list(dict.fromkeys(as_text(json.loads(line)["tokens"]) for line in lines))


def as_text(tokens):
    """The file's tokens as people write them: `$ aapl` is a cashtag, addresses and user names are gone."""
    return " ".join(token for token in tokens if token not in ("URL", "AT_USER")).replace("$ ", "$")


def cleaned(headline):
    """As the engine cleans a headline before it cuts it: for counting words without it."""
    text = html.unescape(re.sub(r"<[^<>]*>", " ", headline))
    return " ".join(re.sub(r"https?://\S+", " ", text).split())


def events(ids, headlines):
    """Items as the topic has them; each has an instrument of its own, so that none is averaged with another."""
    for at, (name, headline) in enumerate(zip(ids, headlines, strict=True), 1):
        ts_event = (BEGIN_S + at) * 1_000_000_000
        yield {"ts_event": ts_event, "id": name, "headline": headline, "instruments": [name]}


def write(split):
    """Writes one split as items and labels."""
    items = read(split)
    lines = list(events([item.id for item in items], [item.headline for item in items]))
    write_lines(f"items.{split}.jsonl", lines)
    labels = [
        {"key": line["id"], "ts_event": line["ts_event"], "outcome": LABELS[item.outcome], "split": split}
        for line, item in zip(lines, items, strict=True)
    ]
    write_lines(f"labels.{split}.jsonl", labels)


def write_lines(name, lines):
    OUT.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    (OUT / name).write_text(text, encoding="utf-8")
    print(f"{name}: {len(lines)} lines", flush=True)


def foretick(*arguments):
    """Runs the engine's binary, which FORETICK names."""
    binary = os.environ.get("FORETICK", ROOT / "target" / "release" / "foretick")
    done = subprocess.run([binary, *map(str, arguments)], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise SystemExit(f"while running foretick {arguments[0]}: it failed as said above")


def pieces(name, headlines):
    """Has the engine cut headlines; gives their ids [N, 64] and what it says of its features."""
    import pyarrow.parquet as parquet

    items, path = f"texts.{name}.jsonl", OUT / f"rows.{name}.parquet"
    write_lines(items, list(events([f"{name}-{at:06}" for at in range(1, len(headlines) + 1)], headlines)))
    # Each item has an instrument of its own.
    room = f"source.max_instruments={len(headlines)}"
    foretick("features", PIPELINE, "--set", room, "--input", OUT / items, "--output", path, "--force", "--json")
    table = parquet.read_table(path)
    metadata = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
    contract = {"features": json.loads(metadata["foretick.features"])}
    contract["features_sha256"] = metadata["foretick.features_sha256"]
    cells = np.stack([table.column(feature).to_numpy() for feature in contract["features"]], axis=1)
    # What the engine passes over (other scripts, nothing but an address) has no pieces: all zero.
    ids = np.zeros((len(headlines), cells.shape[1]), dtype=np.int16)
    times = table.column("ts_event").to_numpy().astype("datetime64[ns]").astype(np.int64)
    ids[times // 1_000_000_000 - BEGIN_S - 1] = cells
    return ids, contract


def texts():
    """All that training reads, as arrays by name, and what the engine says of its features."""
    read_in, unlabelled = {split: read(split) for split in FILES}, tweets()
    made = {}
    for split, items in read_in.items():
        made[split], contract = pieces(split, [item.headline for item in items])
        made[f"{split}_outcome"] = np.array([item.outcome for item in items])
    ids, _ = pieces("tweets", [tweet for tweet in unlabelled if len(tweet.split()) >= WORDS_MIN])
    # Each once, and none that is a labelled headline too or has no pieces.
    labelled = {row.tobytes() for split in FILES for row in made[split]} | {bytes(ids[0].nbytes)}
    made["tweets"] = np.array([row for row in np.unique(ids, axis=0) if row.tobytes() not in labelled])
    return made, contract


def vocabulary():
    """The pieces that the pipeline knows; a piece's place is its id."""
    return (PIPELINE / "vocab.txt").read_text(encoding="utf-8").split("\n")[:-1]


def digest(split):
    """SHA-256 of a split's file."""
    return hashlib.sha256(source(split).read_bytes()).hexdigest()


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description="Writes items and labels to out/news-sentiment.")
    arguments.add_argument("--split", choices=FILES, help="this split alone")
    asked = arguments.parse_args().split
    for name in [asked] if asked else FILES:
        write(name)
