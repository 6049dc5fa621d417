"""Cuts the encoder's 30,522 WordPieces to those that financial headlines use: vocab.txt.

    python vocabulary.py

needs the package tokenizers, and FORETICK_DATA. Run once: the vocabulary is
part of the pipeline, and train.py takes it as it is. Counts pieces in the training headlines and in
unlabelled tweets; looks at no label and at no validation text.
"""

import collections

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

import prepare
import weights

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
# Pieces in all; the file is 9.5 MB with them.
SIZE = 11_000
# A labelled headline counts as so many tweets: there are ten times as many of those.
HEADLINE_WEIGHT = 5


def pieces(vocabulary):
    """BERT's uncased WordPiece over a vocabulary; special tokens are added by the caller alone."""
    ids = {piece: at for at, piece in enumerate(vocabulary)}
    tokenizer = Tokenizer(models.WordPiece(ids, unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


def count(tokenizer, texts, weight, counts):
    for encoded in tokenizer.encode_batch(texts, add_special_tokens=False):
        for piece in encoded.tokens:
            counts[piece] += weight


def choose(full):
    """Every single character and what is most frequent, in the order of the full vocabulary."""
    counts, tokenizer = collections.Counter(), pieces(full)
    count(tokenizer, [prepare.cleaned(item.headline) for item in prepare.read("train")], HEADLINE_WEIGHT, counts)
    count(tokenizer, prepare.tweets(), 1, counts)
    single = {piece for piece in full if len(piece.removeprefix("##")) == 1}
    frequent = [piece for piece, _ in counts.most_common() if piece not in single and piece not in SPECIAL]
    kept = single | set(frequent[: SIZE - len(single) - len(SPECIAL)])
    rarest = counts[frequent[len(kept) - len(single) - 1]]
    print(f"{len(single)} single characters; the rarest other piece was seen {rarest} times")
    return SPECIAL + [piece for piece in full if piece in kept]


def main():
    chosen = choose(weights.vocabulary())
    path = prepare.PIPELINE / "vocab.txt"
    path.write_text("".join(piece + "\n" for piece in chosen), encoding="utf-8")
    print(f"{path.name}: {len(chosen)} pieces")


if __name__ == "__main__":
    main()
