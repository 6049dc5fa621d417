"""The network and its training: LSTM 64 -> LSTM 32 -> dense 3 on windows of rows.

Reads no file and writes none. Stops early on the validation windows and never sees the test.
"""

import copy

import numpy as np
import torch
from torch import nn

EPOCHS_MAX = 40
PATIENCE = 3
BATCH = 128
LEARNING_RATE = 2e-4
WEIGHT_DECAY = 1e-4
DROPOUT = 0.5


class Direction(nn.Module):
    """Logits of down, flat and up from a window [N, T, F]."""

    def __init__(self, features, classes=3):
        super().__init__()
        self.first = nn.LSTM(features, 64, batch_first=True)
        self.second = nn.LSTM(64, 32, batch_first=True)
        self.dense = nn.Linear(32, classes)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, window):
        sequence, _ = self.first(window)
        sequence, _ = self.second(self.dropout(sequence))
        return self.dense(self.dropout(sequence[:, -1]))


def probabilities(network, windows):
    """Softmax of the logits, as a numpy array [N, 3]."""
    network.eval()
    with torch.no_grad():
        pieces = [torch.softmax(network(piece), -1) for piece in torch.from_numpy(windows).split(1024)]
    return torch.cat(pieces).numpy()


def fit(train, validation, seed, form=Direction, rate=LEARNING_RATE):
    """Trains on (windows, labels, weights); gives the network of the best epoch, its validation loss, the epoch."""
    # One thread and one seed: the same weights again, on the same machine.
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    network = form(train[0].shape[2])
    optimiser = torch.optim.Adam(network.parameters(), rate, weight_decay=WEIGHT_DECAY)
    windows, labels, weights = map(torch.from_numpy, train)
    best, best_loss, best_epoch = None, np.inf, 0
    for epoch in range(1, EPOCHS_MAX + 1):
        network.train()
        for batch in torch.randperm(len(labels)).split(BATCH):
            optimiser.zero_grad()
            losses = nn.functional.cross_entropy(network(windows[batch]), labels[batch], reduction="none")
            (losses * weights[batch]).mean().backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
        loss = log_loss(probabilities(network, validation[0]), *validation[1:])
        print(f"seed {seed} epoch {epoch:2}: validation log loss {loss:.4f}", flush=True)
        if loss < best_loss:
            best, best_loss, best_epoch = copy.deepcopy(network.state_dict()), loss, epoch
        if epoch - best_epoch >= PATIENCE:
            break
    network.load_state_dict(best)
    return network.eval(), best_loss, best_epoch


def log_loss(given, labels, weights=None):
    """Mean of -ln p of what happened."""
    losses = -np.log(np.clip(given[np.arange(len(labels)), labels], 1e-12, 1))
    return float(np.average(losses, weights=weights))
