"""Training: one loop for all networks. Reads no file and writes none; recipe.toml has the numbers.

A target is three probabilities: a label, what a teacher says, or a mixture of both.
"""

import numpy as np
import torch
from torch import nn

from network import BEGIN, END, LABELS, PAD, UNKNOWN

log_softmax = nn.functional.log_softmax


def device():
    """A GPU where there is one; there, products may be a little less exact."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    torch.backends.cuda.matmul.allow_tf32 = True
    return torch.device("cuda")


def autocast(where):
    """Half precision where the device is made for it."""
    return torch.autocast("cuda", torch.bfloat16, enabled=where.type == "cuda")


def one_hot(outcome):
    return np.eye(LABELS, dtype=np.float32)[outcome]


def cross_entropy(logits, target):
    return -(target * log_softmax(logits, -1)).sum(-1).mean()


def mean_squared(logits, target):
    return ((torch.softmax(logits, -1) - target) ** 2).sum(-1).mean()


LOSSES = {"cross_entropy": cross_entropy, "mse": mean_squared}


def apart(one, other):
    """How far two answers to the same text lie apart: Kullback-Leibler, both ways."""
    one, other = log_softmax(one.float(), -1), log_softmax(other.float(), -1)
    return ((one.exp() - other.exp()) * (one - other)).sum(-1).mean() / 2


def optimiser(network, recipe):
    """Adam, or gradient descent with or without momentum; a head begun from nothing learns faster than the rest."""
    head = [weight for name, weight in network.named_parameters() if name.startswith("head.")]
    rest = [weight for name, weight in network.named_parameters() if not name.startswith("head.")]
    rate = recipe["learning_rate"]
    groups = [{"params": rest, "lr": rate}, {"params": head, "lr": rate * recipe.get("head_faster", 1)}]
    if recipe["optimiser"] == "adam":
        fused = rest[0].device.type == "cuda"
        return torch.optim.AdamW(groups, rate, weight_decay=recipe["weight_decay"], fused=fused)
    momentum = {"sgd_momentum": 0.9, "gradient_descent": 0.0}[recipe["optimiser"]]
    return torch.optim.SGD(groups, rate, momentum=momentum, weight_decay=recipe["weight_decay"])


def slope(steps, warm):
    """Up to the full rate over the first steps, then down to nothing."""
    return lambda step: min((step + 1) / max(warm, 1), max(0.0, (steps - step) / max(steps - warm, 1)))


def batches(lengths, size, random):
    """Every text once, texts of like length together, in no order."""
    order = random.permutation(len(lengths))
    sorted_parts = (part[np.argsort(lengths[part], kind="stable")] for part in split(order, size * 50))
    parts = [batch for part in sorted_parts for batch in split(part, size)]
    return [parts[at] for at in random.permutation(len(parts))]


def split(values, size):
    return [values[at : at + size] for at in range(0, len(values), size)]


def blot(ids, share):
    """Makes a share of the pieces unknown: no single word may decide."""
    hit = (torch.rand(ids.shape, device=ids.device) < share) & (ids != PAD) & (ids != BEGIN) & (ids != END)
    return ids.masked_fill(hit, UNKNOWN)


def fit(network, ids, target, recipe, seed):
    """Trains in place on ids [N, 64] and targets [N, 3]; gives the mean loss of each epoch.

    Gradient descent takes one step an epoch, by the mean of what all its batches say.
    """
    where = device()
    torch.manual_seed(seed)
    random = np.random.default_rng(seed)
    network.to(where).train()
    lengths = (ids != PAD).sum(1)
    ids, target = (torch.from_numpy(part).to(where) for part in (ids, np.asarray(target, dtype=np.float32)))
    at_once = recipe["optimiser"] == "gradient_descent"
    count = 1 if at_once else -(-len(lengths) // recipe["batch"])
    steps, warm = count * recipe["epochs"], int(recipe.get("warm_up", 0.1) * count * recipe["epochs"])
    turn = optimiser(network, recipe)
    rate = torch.optim.lr_scheduler.LambdaLR(turn, slope(steps, warm))
    curve = []
    for _ in range(recipe["epochs"]):
        losses = []
        every = batches(lengths, recipe["batch"], random)
        for together in [every] if at_once else [[rows] for rows in every]:
            turn.zero_grad(set_to_none=True)
            for rows in together:
                length, share = int(lengths[rows].max()), len(rows) / sum(map(len, together))
                rows = torch.from_numpy(rows).to(where)
                with autocast(where):
                    loss = loss_of(network, ids[rows, :length].long(), target[rows], recipe)
                (loss * share).backward()
                losses.append(loss.detach())
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            turn.step()
            rate.step()
        curve.append(float(torch.stack(losses).mean()))
    return curve


def loss_of(network, ids, target, recipe):
    """The loss of a batch; `twice` asks each text twice and wants the same answer (R-Drop)."""
    if recipe.get("blot"):
        ids = blot(ids, recipe["blot"])
    # Targets of a teacher are cooled: so is what is held against them. The square keeps the gradient's size.
    temperature = recipe.get("temperature", 1.0)
    loss = lambda logits: LOSSES[recipe["loss"]](logits.float() / temperature, target) * temperature**2
    if not recipe.get("twice"):
        return loss(network(ids))
    one, other = network(torch.cat([ids, ids])).chunk(2)
    return (loss(one) + loss(other)) / 2 + recipe["twice"] * apart(one, other)


def logits(network, ids, size=256):
    """The network's answers [N, 3], as numpy; zeros where there are no pieces."""
    where = device()
    network.to(where).eval()
    lengths = (ids != PAD).sum(1)
    said = np.zeros((len(ids), LABELS), dtype=np.float32)
    with torch.inference_mode():
        order = np.argsort(lengths, kind="stable")
        for rows in split(order[lengths[order] > 0], size):
            batch = torch.from_numpy(ids[rows, : lengths[rows].max()]).to(where)
            said[rows] = network(batch.long()).float().cpu().numpy()
    return said
