"""Small recurrent networks as PyTorch's two exporters write them, and some that are no plain stack.

    python make_torch.py            # writes torch-*.onnx beside this file

Last run with torch 2.15.0, onnx 1.23.2, onnxscript 0.7.2. Trains nothing: the weights are random, with a
bias of 2 on the gates that keep the state, so that the whole window matters.
"""

from pathlib import Path

import onnx
import torch
from torch import nn

HERE = Path(__file__).parent
FEATURES, STEPS, FIRST, SECOND = 4, 9, 8, 5


class Stack(nn.Module):
    """(x - mean) / std, two recurrent layers, a head on the last output."""

    def __init__(self, kind, head, **settings):
        super().__init__()
        self.register_buffer("mean", torch.randn(FEATURES))
        self.register_buffer("std", torch.rand(FEATURES) + 0.5)
        self.first = kind(FEATURES, FIRST, batch_first=True, **settings)
        width = FIRST * (2 if settings.get("bidirectional") else 1)
        self.second = kind(width, SECOND, batch_first=True)
        self.head = head
        for layer in (self.first, self.second):
            remember(layer)

    def forward(self, x):
        x = (x - self.mean) / self.std
        x, _ = self.first(x)
        x, _ = self.second(x)
        return self.head(self.last(x))

    def last(self, x):
        return x[:, -1]


class Deep(Stack):
    """Both layers in one module, the last state from the module's second result."""

    def __init__(self, kind, head):
        super().__init__(kind, head)
        self.first = kind(FEATURES, SECOND, num_layers=2, batch_first=True)
        remember(self.first)

    def forward(self, x):
        _, state = self.first((x - self.mean) / self.std)
        return self.head((state[0] if isinstance(state, tuple) else state)[-1])


class Learned(Stack):
    """Starts from a learned state."""

    def __init__(self, kind, head):
        super().__init__(kind, head)
        self.start = nn.ParameterList([nn.Parameter(torch.randn(1, 1, FIRST)) for _ in range(2)])

    def forward(self, x):
        h, c = (start.expand(-1, x.shape[0], -1).contiguous() for start in self.start)
        x, _ = self.first((x - self.mean) / self.std, (h, c) if isinstance(self.first, nn.LSTM) else h)
        x, _ = self.second(x)
        return self.head(self.last(x))


class Everywhere(Stack):
    """The head runs on all steps, of which the last is taken."""

    def last(self, x):
        return x

    def forward(self, x):
        return super().forward(x)[:, -1]


class Mean(Stack):
    """Pools the outputs of all steps."""

    def last(self, x):
        return x.mean(dim=1)


class First(Stack):
    """Takes the output of the first step."""

    def last(self, x):
        return x[:, 0]


class Attention(Stack):
    """Weighs the outputs of all steps by their likeness to the last."""

    def last(self, x):
        weights = torch.softmax(x @ x[:, -1:].transpose(1, 2), dim=1)
        return (weights * x).sum(dim=1)


class Both(Stack):
    """Takes the last states of both layers."""

    def forward(self, x):
        first, _ = self.first((x - self.mean) / self.std)
        second, _ = self.second(first)
        return self.head(torch.cat([first[:, -1], second[:, -1]], dim=1))


class OwnScale(Stack):
    """Normalises by the window itself."""

    def forward(self, x):
        return super().forward((x - x.mean(dim=1, keepdim=True)) / 2.0)


class Convolution(nn.Module):
    """No recurrence at all."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv1d(FEATURES, 6, 3), nn.ReLU(), nn.Flatten(), nn.Linear(6 * (STEPS - 2), 3)
        )

    def forward(self, x):
        return self.layers(x.transpose(1, 2))


class Transformer(nn.Module):
    """One block of self-attention."""

    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(FEATURES, 2, batch_first=True)
        self.dense = nn.Linear(FEATURES, 3)

    def forward(self, x):
        x, _ = self.attention(x, x, x)
        return self.dense(x[:, -1])


def remember(layer):
    """Raises the bias of the forget gate (i, f, g, o), or of the update gate (r, z, n)."""
    for name, bias in layer.named_parameters():
        if name.startswith("bias_ih"):
            units = layer.hidden_size
            bias.data[units : 2 * units] += 2.0


def classes(width=SECOND):
    return nn.Sequential(nn.Linear(width, 6), nn.ReLU(), nn.Linear(6, 3), nn.Softmax(dim=1))


def chance():
    return nn.Sequential(nn.Linear(SECOND, 6), nn.Tanh(), nn.Linear(6, 1), nn.Sigmoid())


def write(name, network, *, dynamo):
    network = network().eval() if isinstance(network, type) else network.eval()
    x = torch.randn(2, STEPS, FEATURES)
    settings = (
        {"dynamo": True, "external_data": False, "dynamic_shapes": ({0: torch.export.Dim("batch")},)}
        if dynamo
        else {"dynamo": False, "dynamic_axes": {"window": {0: "batch"}}, "opset_version": 17}
    )
    path = HERE / f"torch-{name}.onnx"
    torch.onnx.export(network, (x,), path, input_names=["window"], output_names=["score"], **settings)
    strip(path)
    print(path.name, path.stat().st_size)


def strip(path):
    """Takes out where in which script each node came from: it would differ from machine to machine."""
    model = onnx.load(path)
    for part in [*model.graph.node, *model.graph.value_info, *model.graph.input, *model.graph.output]:
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    model.graph.ClearField("metadata_props")
    path.write_bytes(model.SerializeToString(deterministic=True))


def main():
    torch.manual_seed(11)
    for dynamo in (False, True):
        by = "dynamo" if dynamo else "script"
        write(f"{by}-lstm", Stack(nn.LSTM, classes()), dynamo=dynamo)
        write(f"{by}-gru", Stack(nn.GRU, chance()), dynamo=dynamo)
        write(f"{by}-lstm-deep", Deep(nn.LSTM, chance()), dynamo=dynamo)
        write(f"{by}-lstm-learned", Learned(nn.LSTM, classes()), dynamo=dynamo)
        write(f"{by}-gru-everywhere", Everywhere(nn.GRU, nn.Linear(SECOND, 2)), dynamo=dynamo)
        write(f"{by}-refused-bidirectional", Stack(nn.LSTM, classes(), bidirectional=True), dynamo=dynamo)
        write(f"{by}-refused-mean", Mean(nn.GRU, classes()), dynamo=dynamo)
        write(f"{by}-refused-first", First(nn.GRU, classes()), dynamo=dynamo)
        write(f"{by}-refused-attention", Attention(nn.LSTM, classes()), dynamo=dynamo)
        write(f"{by}-refused-both", Both(nn.LSTM, classes(FIRST + SECOND)), dynamo=dynamo)
        write(f"{by}-refused-own-scale", OwnScale(nn.LSTM, classes()), dynamo=dynamo)
        write(f"{by}-refused-convolution", Convolution, dynamo=dynamo)
        write(f"{by}-refused-transformer", Transformer, dynamo=dynamo)


if __name__ == "__main__":
    main()
