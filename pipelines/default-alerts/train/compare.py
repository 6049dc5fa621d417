"""Every optimiser with every loss and every network, shortly trained: what matters, by validation."""

import itertools

import score
from network import fit, logits, sigmoid


def table(recipe, train, validation):
    """One line for each: network, loss, optimiser, best epoch, AUC and log loss on the validation windows."""
    short = recipe["compare"]
    lines = []
    for network, loss, optimiser in itertools.product(short["network"], short["loss"], short["optimiser"]):
        chosen = {"network": network, "loss": loss, "optimiser": optimiser, "epochs": short["epochs"][optimiser]}
        fitted, _, epoch = fit(recipe | chosen, train, validation, short["seed"])
        pd = sigmoid(logits(fitted, validation[0]))
        figures = score.figures(pd, validation[1])
        lines.append(
            [network, loss.replace("_", " "), optimiser.replace("_", " "), epoch, figures["auc"], figures["log_loss"]]
        )
        print("compared:", *lines[-1], flush=True)
    return lines
