"""Networks from nothing with every loss and every optimiser, by the held-out tenth of the training headlines.

    python scratch.py

reads texts.npz in out/news-sentiment, trains each as `[scratch]` of recipe.toml says, and writes its table in
MODEL_CARD.md. No pretrained weight is used, and the validation file is not read.
"""

import itertools

import numpy as np
import torch

import card
import learn
import prepare
import teach
from network import Attention

BEGIN = "<!-- scratch: written by train/scratch.py -->"
END = "<!-- end of scratch -->"
HEADS = ["network", "loss", "optimiser", "epochs", "weighted F1", "macro F1", "log loss", "training loss, first, last"]
NETWORKS = teach.SCRATCH | {"attention": Attention}


def main():
    # The same figures again, on the same machine.
    torch.set_num_threads(1)
    with np.load(prepare.OUT / "texts.npz") as texts:
        ids, outcome = texts["train"], texts["train_outcome"]
    held, cut = teach.hold_out(outcome), ids.any(1)
    parts = [(ids[part], outcome[part]) for part in (cut & ~held, cut & held)]
    lines = list(compared(teach.RECIPE["scratch"], *parts))
    card.put(prepare.PIPELINE / "MODEL_CARD.md", BEGIN, card.table(HEADS, lines, text_columns=3), END)


def compared(short, train, held):
    """One line for each, its figures at the temperature that fits what is held out."""
    pieces = len(prepare.vocabulary())
    for kind, loss, way in itertools.product(NETWORKS, short["loss"], short["way"]):
        if kind not in way["network"]:
            continue
        recipe = {"loss": loss, "batch": short["batch"], **way}
        torch.manual_seed(short["seed"])
        network = NETWORKS[kind](pieces)
        curve = learn.fit(network, train[0], learn.one_hot(train[1]), recipe, short["seed"])
        found = teach.judge(learn.logits(network, held[0]), held[1])
        line = [kind, loss.replace("_", " "), way["optimiser"].replace("_", " "), way["epochs"]]
        line += [f"{found[key]:.3f}" for key in ("weighted_f1", "macro_f1", "log_loss")]
        line.append(f"{curve[0]:.3f} {curve[-1]:.3f}")
        print("compared:", *line, flush=True)
        yield line


if __name__ == "__main__":
    main()
