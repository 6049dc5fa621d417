"""Other networks on the same windows, beside the shipped one: what a bigger form is worth here, and what it costs.

    python forms.py

Convolution before an LSTM, as DeepLOB has it (Zhang, Zohren, Roberts 2019), and attention over time and
over features in turns, as TLOB has it (Berti, Kasneci 2025); both made small, since four minutes of
training feed no more, and on the pipeline's features instead of raw levels. Each learns as the LSTM
does, at the learning rate that validates best. Writes the section between the marks of MODEL_CARD.md, and no
model.
"""

import time
import tomllib
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import nn

import baselines
import card
import prepare
import score
from network import STEPS, Recurrent, fit, probabilities

RECIPE = tomllib.loads((Path(__file__).parent / "recipe.toml").read_text())
SEEDS = RECIPE["seeds"]
RATES = [2e-4, 1e-4, 5e-5]
BEGIN = "<!-- forms: written by train/forms.py -->"
END = "<!-- end of forms -->"
KEYS = ["macro_f1", "mcc", "accuracy"]
WIDTH = 16


class ConvolutionRecurrent(nn.Module):
    """Filters over features, over neighbouring moments, over three spans side by side; an LSTM reads what they say."""

    def __init__(self, features, recipe, classes=3):
        super().__init__()
        filters = lambda inputs, size: nn.Conv1d(inputs, WIDTH, size, padding=size // 2)
        self.features = filters(features, 1)
        self.moments = nn.ModuleList([nn.Conv1d(WIDTH, WIDTH, 4) for _ in range(2)])
        self.narrow = nn.ModuleList([filters(WIDTH, 1) for _ in range(3)])
        self.spans = nn.ModuleList([filters(WIDTH, size) for size in (3, 5)])
        self.strongest = nn.MaxPool1d(3, stride=1, padding=1)
        self.lstm = nn.LSTM(3 * WIDTH, 32, batch_first=True)
        self.dense = nn.Linear(32, classes)
        self.act, self.dropout = nn.LeakyReLU(0.01), nn.Dropout(recipe["dropout"])

    def forward(self, window):
        told = self.act(self.features(window.transpose(1, 2)))
        for layer in self.moments:
            told = self.act(layer(told))
        sides = [self.act(span(self.act(narrow(told)))) for span, narrow in zip(self.spans, self.narrow)]
        sides.append(self.act(self.narrow[2](self.strongest(told))))
        sequence, _ = self.lstm(self.dropout(torch.cat(sides, 1).transpose(1, 2)))
        return self.dense(self.dropout(sequence[:, -1]))


class Attend(nn.Module):
    """One head of self-attention and a dense layer, each added to what came in."""

    def __init__(self, width, dropout):
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.before, self.after = nn.LayerNorm(width), nn.LayerNorm(width)
        self.wide, self.back = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        self.dropout = nn.Dropout(dropout)
        self.scale = width**-0.5

    def forward(self, told):
        seen = self.before(told)
        match = self.query(seen) @ self.key(seen).transpose(1, 2) * self.scale
        told = told + self.dropout(torch.softmax(match, -1) @ self.value(seen))
        return told + self.dropout(self.back(torch.relu(self.wide(self.after(told)))))


class DualAttention(nn.Module):
    """Normalises each window by time and by feature, then attends to moments and to features in turns."""

    def __init__(self, features, recipe, classes=3):
        super().__init__()
        dropout = recipe["dropout"]
        self.share = nn.Parameter(torch.tensor([0.0, 1.0]))  # of the window's own scale, and of the training's
        self.embed = nn.Linear(features, 2 * WIDTH)
        self.place = nn.Parameter(0.02 * torch.randn(STEPS, 2 * WIDTH))
        self.moments = nn.ModuleList([Attend(2 * WIDTH, dropout / 2) for _ in range(2)])
        self.features = nn.ModuleList([Attend(STEPS, dropout / 2) for _ in range(2)])
        self.narrow = nn.Linear(2 * WIDTH, 4)
        self.dense = nn.Linear(4 * STEPS, classes)
        self.dropout = nn.Dropout(dropout)

    def forward(self, window):
        middle = window.mean(1, keepdim=True)
        own = (window - middle) / (((window - middle) ** 2).mean(1, keepdim=True) + 1e-4).sqrt()
        told = self.embed(self.share[0] * own + self.share[1] * window) + self.place
        for moments, features in zip(self.moments, self.features):
            told = features(moments(told).transpose(1, 2)).transpose(1, 2)
        return self.dense(self.dropout(torch.relu(self.narrow(told)).flatten(1)))


FORMS = {
    "LSTM 64 → 32 (the shipped form)": (Recurrent, [RECIPE["learning_rate"][RECIPE["optimiser"]]]),
    "convolution and LSTM (DeepLOB's form)": (ConvolutionRecurrent, RATES),
    "attention over time and features (TLOB's form)": (DualAttention, RATES),
}


def main():
    rows = prepare.export()
    split = prepare.divide(rows)
    train, validation, test = prepare.parts(rows, split, prepare.normalisation(rows, split.train))

    fitted = {}
    for name, (form, rates) in FORMS.items():
        # The rate is chosen by the first seed's validation loss.
        tried = {rate: learn(form, rate, train, validation, SEEDS[0]) for rate in rates}
        rate = min(tried, key=lambda rate: tried[rate][1])
        others = [learn(form, rate, train, validation, seed) for seed in SEEDS[1:]]
        fitted[name] = rate, [tried[rate], *others]
        print(
            f"{name}: learning rate {rate:g}, validation losses {[f'{each[1]:.3f}' for each in fitted[name][1]]}",
            flush=True,
        )

    # From here on the test is read.
    costs = microseconds({name: members[0][0] for name, (_, members) in fitted.items()}, test[0])
    lines = []
    for (name, (rate, members)), cost in zip(fitted.items(), costs):
        given = [probabilities(network, test[0]) for network, *_ in members]
        loss = np.mean([loss for _, loss, _ in members])
        weights = sum(weight.numel() for weight in members[0][0].parameters())
        lines.append([name, f"{rate:g}", f"{loss:.3f}", *each(given, test[1]), weights, f"{cost / costs[0]:.2f}"])
        lines.append(["– its seeds averaged", "", "", *pooled(np.mean(given, axis=0), test[1]), "", ""])
    trees = baselines.boosted(train, validation).predict_proba(baselines.lagged(test[0]))
    lines.append(["LightGBM", "", "", *pooled(trees, test[1]), "", ""])
    write(lines, costs[0])


def learn(form, rate, train, validation, seed):
    """Trains a form as the recipe does, at a rate of its own."""
    return fit(RECIPE | {"learning_rate": {RECIPE["optimiser"]: rate}}, train, validation, seed, form)


def each(given, labels):
    """Mean and standard deviation of the seeds' figures."""
    for key in KEYS:
        found = np.array([score.figures(one, labels)[key] for one in given])
        yield f"{found.mean():.3f} ± {found.std(ddof=1):.3f}"


def pooled(given, labels):
    """Figures, and what redrawn test blocks do to them."""
    for key in KEYS:
        yield "{:.3f} ({:.2f} to {:.2f})".format(score.figures(given, labels)[key], *score.spread(given, labels, key))


def microseconds(networks, windows, rounds=3000):
    """The middle time of one window in ONNX Runtime, one thread; the forms take turns, so that all see the same load."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    sessions = []
    for at, network in enumerate(networks.values()):
        path = prepare.OUT / f"form-{at}.onnx"
        asked = torch.from_numpy(windows[:1])
        torch.onnx.export(network, (asked,), str(path), input_names=["window"], opset_version=17, dynamo=False)
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        difference = np.abs(session.run(None, {"window": windows[:1]})[0] - network(asked).detach().numpy()).max()
        if difference > 1e-4:
            raise SystemExit(f"while exporting {path.name}: it differs by {difference:g} from PyTorch")
        sessions.append(session)
    taken = [[] for _ in sessions]
    for at in range(rounds):
        window = windows[at % len(windows)][None]
        for session, times in zip(sessions, taken):
            begin = time.perf_counter()
            session.run(None, {"window": window})
            times.append(time.perf_counter() - begin)
    return [float(np.median(times[rounds // 10 :]) * 1e6) for times in taken]


def write(lines, lstm):
    """Replaces the section in the card."""
    heads = ["form", "learning rate", "validation loss", "macro F1", "MCC", "accuracy", "weights", "time, LSTM = 1"]
    note = (
        f"Mean ± standard deviation of {len(SEEDS)} seeds; in brackets the middle 95 % when the test is redrawn in blocks of\n"
        f"10 s. Time is of one window in ONNX Runtime on one thread, through the plain exporter; the LSTM took\n"
        f"{lstm:.0f} µs."
    )
    card.put(prepare.PIPELINE / "MODEL_CARD.md", BEGIN, card.table(heads, lines) + "\n\n" + note, END)


if __name__ == "__main__":
    main()
