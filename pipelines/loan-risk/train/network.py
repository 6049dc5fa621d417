"""The networks and their training on bands: dense 64-32-3, and three that read the months as steps.

Reads no file and writes none. What is trained, and how, is `[training]` of config.toml.
"""

import numpy as np
import torch
from torch import nn

# Months of the Taiwan set, oldest first: status, bill and payment of each.
STATUS = ["pay_6", "pay_5", "pay_4", "pay_3", "pay_2", "pay_0"]


class Dense(nn.Module):
    """Logits of the bands from inputs [N, D]."""

    def __init__(self, inputs, classes=3):
        super().__init__()
        self.first, self.second, self.third = nn.Linear(inputs, 64), nn.Linear(64, 32), nn.Linear(32, classes)

    def forward(self, inputs):
        return self.third(torch.relu(self.second(torch.relu(self.first(inputs)))))


class Monthly(nn.Module):
    """The same from six months as steps; what has no month is put beside the last layer's input."""

    def __init__(self, kind, transform, classes=3):
        super().__init__()
        name = np.array(transform.fields)[transform.owners()]
        months = [[status, f"bill_amt{6 - at}", f"pay_amt{6 - at}"] for at, status in enumerate(STATUS)]
        self.steps = torch.tensor([[at for field in month for at in np.flatnonzero(name == field)] for month in months])
        still = np.flatnonzero(~np.isin(name, sum(months, [])))
        self.still, self.kind = torch.from_numpy(still), kind
        width = self.steps.shape[1]
        if kind == "cnn":
            self.body = nn.Sequential(nn.Conv1d(width, 32, 3, padding=1), nn.ReLU(), nn.Conv1d(32, 32, 3), nn.ReLU())
        elif kind == "lstm":
            self.body = nn.LSTM(width, 32, batch_first=True)
        else:
            self.enter, self.place = nn.Linear(width, 32), nn.Parameter(torch.zeros(6, 32))
            self.query, self.key, self.value = (nn.Linear(32, 32) for _ in range(3))
        self.head = nn.Sequential(nn.Linear(32 + len(still), 32), nn.ReLU(), nn.Linear(32, classes))

    def forward(self, inputs):
        steps = inputs[:, self.steps]
        if self.kind == "cnn":
            state = self.body(steps.transpose(1, 2)).mean(2)
        elif self.kind == "lstm":
            state = self.body(steps)[0][:, -1]
        else:
            steps = self.enter(steps) + self.place
            weight = torch.softmax(self.query(steps) @ self.key(steps).transpose(1, 2) / 32**0.5, -1)
            state = (steps + weight @ self.value(steps)).mean(1)
        return self.head(torch.cat([state, inputs[:, self.still]], 1))


def probabilities(network, inputs):
    """Softmax of the logits, as a numpy array [N, 3]."""
    network.eval()
    with torch.no_grad():
        return torch.softmax(network(torch.from_numpy(inputs)), -1).numpy()


def fit(transform, train, validation, training, seed):
    """Trains on (inputs, PDs of the teacher, cuts); gives the network and its cross-entropy on the validation bands.

    A row's band is drawn anew each time, as if its PD were known up to `doubt` in log-odds only: bands
    alone would not tell the network where within its band a row is.
    """
    # One thread and one seed: the same weights again, on the same machine.
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    inputs, pd, cuts = (torch.from_numpy(np.array(part, dtype=np.float32)) for part in train)
    kind = training["network"]
    network = Dense(inputs.shape[1]) if kind == "dense" else Monthly(kind, transform)
    batch = len(pd) if training["optimiser"] == "gradient_descent" else training["batch"]
    optimiser, highest = choose(training, network), training["learning_rate"]
    steps = training["epochs"] * -(-len(pd) // batch)
    pace = torch.optim.lr_scheduler.OneCycleLR(optimiser, highest, steps, pct_start=0.1, cycle_momentum=False)
    for _ in range(training["epochs"]):
        for chosen in torch.randperm(len(pd)).split(batch):
            doubt = training["doubt"] * torch.randn(len(chosen))
            bands = torch.bucketize(torch.logit(pd[chosen]) + doubt, torch.logit(cuts))
            optimiser.zero_grad()
            LOSSES[training["loss"]](network(blanked(inputs[chosen], transform, training)), bands).backward()
            optimiser.step()
            pace.step()
    return network.eval(), log_loss(probabilities(network, validation[0]), validation[1])


def choose(training, network):
    """The optimiser that the configuration names."""
    if training["optimiser"] == "adam":
        return torch.optim.Adam(network.parameters(), training["learning_rate"])
    return torch.optim.SGD(network.parameters(), training["learning_rate"], training["momentum"])


def squared(logits, bands):
    """Squared distance of the probabilities to what was asked for."""
    return ((torch.softmax(logits, -1) - nn.functional.one_hot(bands, 3)) ** 2).sum(1).mean()


LOSSES = {"cross_entropy": nn.functional.cross_entropy, "mse": squared}


def blanked(inputs, transform, training):
    """Takes some fields away from some rows, as the model will meet them: missing."""
    fields = len(transform.fields)
    lost = torch.rand(len(inputs), fields) < training["blank_fields"]
    lost &= torch.rand(len(inputs), 1) < training["blank_rows"]
    return torch.where(lost[:, transform.owners()], torch.from_numpy(transform.blank()), inputs)


def log_loss(given, labels):
    """Mean of -ln p of what happened."""
    return float(-np.log(np.clip(given[np.arange(len(labels)), labels], 1e-12, 1)).mean())
