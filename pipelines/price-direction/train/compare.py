"""Every network with every loss and every optimiser, by the validation windows. Never reads the test's.

    python compare.py

trains each as `[compare]` of recipe.toml says, with one seed, and writes the table between the marks of
MODEL_CARD.md, and no model.
"""

import itertools
import tomllib
from pathlib import Path

import card
import prepare
import score
from network import fit, probabilities

RECIPE = tomllib.loads((Path(__file__).parent / "recipe.toml").read_text())
BEGIN = "<!-- comparison: written by train/compare.py -->"
END = "<!-- end of comparison -->"
HEADS = ["network", "loss", "optimiser", "best epoch", "validation loss", "macro F1", "MCC"]


def main():
    rows = prepare.export()
    split = prepare.divide(rows)
    train, validation, _ = prepare.parts(rows, split, prepare.normalisation(rows, split.train))
    lines = list(compared(RECIPE, train, validation))
    card.put(prepare.PIPELINE / "MODEL_CARD.md", BEGIN, card.table(HEADS, lines, text_columns=3), END)


def compared(recipe, train, validation):
    """One line for each; the loss is the cross-entropy that stops the training, whatever was trained on."""
    short = recipe["compare"]
    for network, loss, optimiser in itertools.product(short["network"], short["loss"], short["optimiser"]):
        changed = {key: short[key][optimiser] for key in ("epochs", "patience")}
        changed |= {"network": network, "loss": loss, "optimiser": optimiser}
        fitted, reached, epoch = fit(recipe | changed, train, validation, short["seed"])
        figures = score.figures(probabilities(fitted, validation[0]), validation[1])
        line = [network, loss.replace("_", " "), optimiser.replace("_", " "), epoch, f"{reached:.3f}"]
        line += [f"{figures[key]:.3f}" for key in ("macro_f1", "mcc")]
        print("compared:", *line, flush=True)
        yield line


if __name__ == "__main__":
    main()
