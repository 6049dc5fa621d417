"""The networks and their training; recipe.toml says which networks, loss and optimiser.

Reads no file and writes none. Stops by the validation windows and never sees the test.
"""

import copy

import numpy as np
import torch
from torch import nn

from prepare import STEPS
from score import log_loss

HIDDEN = 32


class Attention(nn.Module):
    """The newest year asks all four what to look at; its own state and what it got decide."""

    def __init__(self, features, recipe):
        super().__init__()
        self.year = nn.Linear(features, HIDDEN)
        self.position = nn.Parameter(torch.zeros(STEPS, HIDDEN))
        self.query = nn.Linear(HIDDEN, HIDDEN)
        self.mix = nn.Linear(2 * HIDDEN, HIDDEN)
        self.out = nn.Linear(HIDDEN, 1)
        self.drop_inputs, self.drop = nn.Dropout(recipe["dropout_inputs"]), nn.Dropout(recipe["dropout"])

    def forward(self, window):
        years = self.drop(torch.relu(self.year(self.drop_inputs(window)) + self.position))
        newest = years[:, -1]
        weights = torch.softmax((years * self.query(newest)[:, None]).sum(-1), -1)
        seen = (years * weights[..., None]).sum(1)
        mixed = torch.relu(self.mix(torch.cat([newest, seen], -1)))
        return self.out(self.drop(mixed))[:, 0]


class Recurrent(nn.Module):
    """An LSTM over the years; its last state decides."""

    def __init__(self, features, recipe):
        super().__init__()
        self.lstm = nn.LSTM(features, HIDDEN, batch_first=True)
        self.out = nn.Linear(HIDDEN, 1)
        self.drop_inputs, self.drop = nn.Dropout(recipe["dropout_inputs"]), nn.Dropout(recipe["dropout"])

    def forward(self, window):
        states, _ = self.lstm(self.drop_inputs(window))
        return self.out(self.drop(states[:, -1]))[:, 0]


class Convolution(nn.Module):
    """Filters over two neighbouring years; the strongest answer of each decides."""

    def __init__(self, features, recipe):
        super().__init__()
        self.filters = nn.Conv1d(features, HIDDEN, 2)
        self.out = nn.Linear(HIDDEN, 1)
        self.drop_inputs, self.drop = nn.Dropout(recipe["dropout_inputs"]), nn.Dropout(recipe["dropout"])

    def forward(self, window):
        answers = torch.relu(self.filters(self.drop_inputs(window).transpose(1, 2)))
        return self.out(self.drop(answers.amax(-1)))[:, 0]


class Dense(nn.Module):
    """All years side by side through two layers."""

    def __init__(self, features, recipe):
        super().__init__()
        self.first, self.second = nn.Linear(STEPS * features, 64), nn.Linear(64, HIDDEN)
        self.out = nn.Linear(HIDDEN, 1)
        self.drop_inputs, self.drop = nn.Dropout(recipe["dropout_inputs"]), nn.Dropout(recipe["dropout"])

    def forward(self, window):
        state = self.drop(torch.relu(self.first(self.drop_inputs(window).flatten(1))))
        return self.out(torch.relu(self.second(state)))[:, 0]


NETWORKS = {"attention": Attention, "lstm": Recurrent, "cnn": Convolution, "dense": Dense}


def cross_entropy(logits, targets):
    return nn.functional.binary_cross_entropy_with_logits(logits, targets)


def mean_squared(logits, targets):
    return nn.functional.mse_loss(torch.sigmoid(logits), targets)


LOSSES = {"cross_entropy": cross_entropy, "mse": mean_squared}


def optimiser(network, recipe):
    """Adam, or stochastic gradient descent with momentum; `gradient_descent` takes all windows at once."""
    rate, decay = recipe["learning_rate"][recipe["optimiser"]], recipe["weight_decay"]
    if recipe["optimiser"] == "adam":
        return torch.optim.AdamW(network.parameters(), rate, weight_decay=decay)
    momentum = {"sgd_momentum": 0.9, "gradient_descent": 0.0}[recipe["optimiser"]]
    return torch.optim.SGD(network.parameters(), rate, momentum=momentum, weight_decay=decay)


def logits(network, inputs):
    """The network's log-odds, as a numpy array [N]."""
    network.eval()
    with torch.no_grad():
        return network(torch.from_numpy(inputs)).numpy().astype(np.float64)


def sigmoid(values):
    return 1 / (1 + np.exp(-values))


def fit(recipe, train, validation, seed):
    """Trains on (inputs, targets); gives the network of the best epoch, its validation log loss, the epoch."""
    # One thread and one seed: the same weights again, on the same machine.
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    inputs, targets = (torch.from_numpy(np.asarray(part, dtype=np.float32)) for part in train)
    network = NETWORKS[recipe["network"]](inputs.shape[2], recipe)
    steps, loss = optimiser(network, recipe), LOSSES[recipe["loss"]]
    slower = torch.optim.lr_scheduler.CosineAnnealingLR(steps, recipe["epochs"])
    size = len(targets) if recipe["optimiser"] == "gradient_descent" else recipe["batch"]
    best, best_loss, best_epoch = None, np.inf, 0
    for epoch in range(1, recipe["epochs"] + 1):
        network.train()
        for batch in torch.randperm(len(targets)).split(size):
            steps.zero_grad()
            loss(network(inputs[batch]), targets[batch]).backward()
            steps.step()
        slower.step()
        now = log_loss(sigmoid(logits(network, validation[0])), validation[1])
        if now < best_loss:
            best, best_loss, best_epoch = copy.deepcopy(network.state_dict()), now, epoch
    network.load_state_dict(best)
    return network.eval(), best_loss, best_epoch
