"""The networks and their training; recipe.toml says which network, loss and optimiser.

Reads no file and writes none. Trains for as many epochs as it is told and sees no validation rows.
"""

import numpy as np
import torch
from torch import nn

FIRST, SECOND = 64, 32
CLIP = 3.0


class Recurrent(nn.Module):
    """LSTM 64 -> LSTM 32 -> dense: log-odds of up from a window [N, T, F]."""

    def __init__(self, shape, dropout):
        super().__init__()
        self.first = nn.LSTM(shape[1], FIRST, batch_first=True)
        self.second = nn.LSTM(FIRST, SECOND, batch_first=True)
        self.out = nn.Linear(SECOND, 1)
        self.drop = nn.Dropout(dropout)

    def forward(self, window):
        states, _ = self.first(window.clamp(-CLIP, CLIP))
        states, _ = self.second(self.drop(states))
        return self.out(self.drop(states[:, -1]))[:, 0]


class Dense(nn.Module):
    """All days side by side through two layers."""

    def __init__(self, shape, dropout):
        super().__init__()
        self.first, self.second = nn.Linear(shape[0] * shape[1], FIRST), nn.Linear(FIRST, SECOND)
        self.out = nn.Linear(SECOND, 1)
        self.drop = nn.Dropout(dropout)

    def forward(self, window):
        state = self.drop(torch.relu(self.first(window.clamp(-CLIP, CLIP).flatten(1))))
        return self.out(self.drop(torch.relu(self.second(state))))[:, 0]


class Convolution(nn.Module):
    """Filters over three neighbouring days; the strongest answer of each decides."""

    def __init__(self, shape, dropout):
        super().__init__()
        self.filters = nn.Conv1d(shape[1], FIRST, 3, padding=1)
        self.second, self.out = nn.Linear(FIRST, SECOND), nn.Linear(SECOND, 1)
        self.drop = nn.Dropout(dropout)

    def forward(self, window):
        answers = torch.relu(self.filters(window.clamp(-CLIP, CLIP).transpose(1, 2)))
        return self.out(self.drop(torch.relu(self.second(self.drop(answers.amax(-1))))))[:, 0]


class Attention(nn.Module):
    """The newest day asks all what to look at; its own state and what it got decide."""

    def __init__(self, shape, dropout):
        super().__init__()
        self.day, self.query = nn.Linear(shape[1], SECOND), nn.Linear(SECOND, SECOND)
        self.place = nn.Parameter(torch.zeros(shape[0], SECOND))
        self.mix, self.out = nn.Linear(2 * SECOND, SECOND), nn.Linear(SECOND, 1)
        self.drop = nn.Dropout(dropout)

    def forward(self, window):
        days = self.drop(torch.relu(self.day(window.clamp(-CLIP, CLIP)) + self.place))
        newest = days[:, -1]
        weights = torch.softmax((days * self.query(newest)[:, None]).sum(-1), -1)
        seen = (days * weights[..., None]).sum(1)
        return self.out(self.drop(torch.relu(self.mix(torch.cat([newest, seen], -1)))))[:, 0]


NETWORKS = {"lstm": Recurrent, "dense": Dense, "cnn": Convolution, "attention": Attention}


def cross_entropy(log_odds, up):
    return nn.functional.binary_cross_entropy_with_logits(log_odds, up)


def mean_squared(log_odds, up):
    return nn.functional.mse_loss(torch.sigmoid(log_odds), up)


LOSSES = {"cross_entropy": cross_entropy, "mse": mean_squared}


def optimiser(network, recipe):
    """Adam with decoupled weight decay, or stochastic gradient descent with momentum.

    `gradient_descent` takes all windows at once, without momentum.
    """
    rate, decay = (recipe[key][recipe["optimiser"]] for key in ("learning_rate", "weight_decay"))
    if recipe["optimiser"] == "adam":
        return torch.optim.AdamW(network.parameters(), rate, weight_decay=decay)
    momentum = {"sgd_momentum": 0.9, "gradient_descent": 0.0}[recipe["optimiser"]]
    return torch.optim.SGD(network.parameters(), rate, momentum=momentum, weight_decay=decay)


def fit(recipe, train, seed):
    """Trains on (windows, labels)."""
    # One thread and one seed: the same weights again, on the same machine.
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    windows, up = torch.from_numpy(train[0]), torch.from_numpy(train[1].astype(np.float32))
    network = NETWORKS[recipe["network"]](windows.shape[1:], recipe["dropout"])
    steps, loss = optimiser(network, recipe), LOSSES[recipe["loss"]]
    size = len(up) if recipe["optimiser"] == "gradient_descent" else recipe["batch"]
    for _ in range(recipe["epochs"]):
        network.train()
        for batch in torch.randperm(len(up)).split(size):
            steps.zero_grad()
            loss(network(windows[batch]), up[batch]).backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            steps.step()
    return network.eval()


def log_odds(networks, windows):
    """The mean log-odds of some networks [N]."""
    with torch.no_grad():
        pieces = [torch.stack([network(piece) for network in networks]).mean(0) for piece in split(windows)]
    return torch.cat(pieces).numpy().astype(np.float64)


def split(windows):
    return torch.from_numpy(windows).split(1024)


def up(networks, windows):
    """The probability of up [N]."""
    return 1 / (1 + np.exp(-log_odds(networks, windows)))
