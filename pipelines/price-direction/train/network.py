"""The networks and their training; recipe.toml says which network, loss and optimiser.

Reads no file and writes none. Stops early on the validation windows and never sees the test.
"""

import copy

import numpy as np
import torch
from torch import nn

STEPS = 50  # rows in a window
HIDDEN = 32


class Recurrent(nn.Module):
    """LSTM 64 -> LSTM 32 -> dense: logits of down, flat and up from a window [N, T, F]."""

    def __init__(self, features, recipe, classes=3):
        super().__init__()
        self.first = nn.LSTM(features, 64, batch_first=True)
        self.second = nn.LSTM(64, 32, batch_first=True)
        self.dense = nn.Linear(32, classes)
        self.dropout = nn.Dropout(recipe["dropout"])

    def forward(self, window):
        sequence, _ = self.first(window)
        sequence, _ = self.second(self.dropout(sequence))
        return self.dense(self.dropout(sequence[:, -1]))


class Dense(nn.Module):
    """All rows side by side through two layers."""

    def __init__(self, features, recipe, classes=3):
        super().__init__()
        self.first, self.second = nn.Linear(STEPS * features, 64), nn.Linear(64, HIDDEN)
        self.dense = nn.Linear(HIDDEN, classes)
        self.dropout = nn.Dropout(recipe["dropout"])

    def forward(self, window):
        state = self.dropout(torch.relu(self.first(window.flatten(1))))
        return self.dense(self.dropout(torch.relu(self.second(state))))


class Convolution(nn.Module):
    """Filters over five neighbouring rows, and over five such answers; the strongest of each decides."""

    def __init__(self, features, recipe, classes=3):
        super().__init__()
        self.first, self.second = nn.Conv1d(features, HIDDEN, 5), nn.Conv1d(HIDDEN, HIDDEN, 5)
        self.dense = nn.Linear(HIDDEN, classes)
        self.dropout = nn.Dropout(recipe["dropout"])

    def forward(self, window):
        answers = self.dropout(torch.relu(self.first(window.transpose(1, 2))))
        return self.dense(self.dropout(torch.relu(self.second(answers)).amax(-1)))


class Attention(nn.Module):
    """The newest row asks all what to look at; its own state and what it got decide."""

    def __init__(self, features, recipe, classes=3):
        super().__init__()
        self.row, self.query = nn.Linear(features, HIDDEN), nn.Linear(HIDDEN, HIDDEN)
        self.place = nn.Parameter(torch.zeros(STEPS, HIDDEN))
        self.mix, self.dense = nn.Linear(2 * HIDDEN, HIDDEN), nn.Linear(HIDDEN, classes)
        self.dropout = nn.Dropout(recipe["dropout"])

    def forward(self, window):
        rows = self.dropout(torch.relu(self.row(window) + self.place))
        newest = rows[:, -1]
        weights = torch.softmax((rows * self.query(newest)[:, None]).sum(-1), -1)
        seen = (rows * weights[..., None]).sum(1)
        return self.dense(self.dropout(torch.relu(self.mix(torch.cat([newest, seen], -1)))))


NETWORKS = {"lstm": Recurrent, "dense": Dense, "cnn": Convolution, "attention": Attention}


def cross_entropy(logits, labels):
    return nn.functional.cross_entropy(logits, labels, reduction="none")


def squared(logits, labels):
    """Squared distance of the probabilities to what happened."""
    return ((torch.softmax(logits, -1) - nn.functional.one_hot(labels, 3)) ** 2).sum(-1)


# Of each window: fit weighs them.
LOSSES = {"cross_entropy": cross_entropy, "mse": squared}


def optimiser(network, recipe):
    """Adam, or stochastic gradient descent with momentum; `gradient_descent` takes all windows at once."""
    rate, decay = recipe["learning_rate"][recipe["optimiser"]], recipe["weight_decay"]
    if recipe["optimiser"] == "adam":
        return torch.optim.Adam(network.parameters(), rate, weight_decay=decay)
    momentum = {"sgd_momentum": 0.9, "gradient_descent": 0.0}[recipe["optimiser"]]
    return torch.optim.SGD(network.parameters(), rate, momentum=momentum, weight_decay=decay)


def probabilities(network, windows):
    """Softmax of the logits, as a numpy array [N, 3]."""
    network.eval()
    with torch.no_grad():
        pieces = [torch.softmax(network(piece), -1) for piece in torch.from_numpy(windows).split(1024)]
    return torch.cat(pieces).numpy()


def fit(recipe, train, validation, seed, form=None):
    """Trains on (windows, labels, weights); gives the network of the best epoch, its validation loss, the epoch.

    The recipe names the network, unless a form of one is given.
    """
    # One thread and one seed: the same weights again, on the same machine.
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    network = (form or NETWORKS[recipe["network"]])(train[0].shape[2], recipe)
    steps, loss = optimiser(network, recipe), LOSSES[recipe["loss"]]
    windows, labels, weights = map(torch.from_numpy, train)
    size = len(labels) if recipe["optimiser"] == "gradient_descent" else recipe["batch"]
    best, best_loss, best_epoch = None, np.inf, 0
    for epoch in range(1, recipe["epochs"] + 1):
        network.train()
        for batch in torch.randperm(len(labels)).split(size):
            steps.zero_grad()
            (loss(network(windows[batch]), labels[batch]) * weights[batch]).mean().backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            steps.step()
        now = log_loss(probabilities(network, validation[0]), *validation[1:])
        print(f"seed {seed} epoch {epoch:2}: validation log loss {now:.4f}", flush=True)
        if now < best_loss:
            best, best_loss, best_epoch = copy.deepcopy(network.state_dict()), now, epoch
        if epoch - best_epoch >= recipe["patience"]:
            break
    network.load_state_dict(best)
    return network.eval(), best_loss, best_epoch


def log_loss(given, labels, weights=None):
    """Mean of -ln p of what happened."""
    losses = -np.log(np.clip(given[np.arange(len(labels)), labels], 1e-12, 1))
    return float(np.average(losses, weights=weights))
