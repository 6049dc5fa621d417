"""Makes ids.txt and digest.txt with the package tokenizers (0.23.3), which the engine's own code must equal.

    python make.py

ids.txt: the piece ids of each line of lines.txt over pipelines/news-sentiment/vocab.txt, 64 at most with
[CLS] and [SEP]. digest.txt: SHA-256 over the ids of the first 10,000 texts of TFNS (training, then validation
file), each line's ids joined by single blanks with a line feed behind; line feeds in a text become blanks, and
nothing else is cleaned. FORETICK_DATA names the data folder.
"""

import csv
import hashlib
import os
from pathlib import Path

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
MAX_TOKENS = 64
TEXTS = 10_000


def tokenizer():
    """BERT uncased. The special tokens are no added tokens: `[SEP]` in a text is three pieces."""
    pieces = (ROOT / "pipelines/news-sentiment/vocab.txt").read_text(encoding="utf-8").split("\n")[:-1]
    model = models.WordPiece(
        {piece: at for at, piece in enumerate(pieces)}, unk_token="[UNK]", max_input_chars_per_word=100
    )
    made = Tokenizer(model)
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    made.enable_truncation(MAX_TOKENS)
    return made


def ids(texts):
    return [" ".join(map(str, encoded.ids)) + "\n" for encoded in tokenizer().encode_batch(texts)]


def texts():
    data = Path(os.environ.get("FORETICK_DATA", ROOT / "../shared/data")).resolve() / "news/tfns"
    read = []
    for name in ("tfns_train_9543.csv", "tfns_valid_2388.csv"):
        with (data / name).open(encoding="utf-8", newline="") as file:
            read += [line["text"].replace("\n", " ") for line in csv.DictReader(file)]
    return read[:TEXTS]


def main():
    # Only a line feed ends a line: other separators are part of the test.
    lines = (HERE / "lines.txt").read_bytes().decode("utf-8").split("\n")[:-1]
    (HERE / "ids.txt").write_text("".join(ids(lines)))
    digest = hashlib.sha256("".join(ids(texts())).encode()).hexdigest()
    (HERE / "digest.txt").write_text(digest + "\n")
    print(f"{len(lines)} lines; {digest}")


if __name__ == "__main__":
    main()
