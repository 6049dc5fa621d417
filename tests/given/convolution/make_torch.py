"""Small convolution networks as PyTorch's two exporters write them, and some whose windows share no columns.

    python make_torch.py            # writes torch-*.onnx beside this file

Last run with torch 2.15.0, onnx 1.23.2, onnxscript 0.7.2. Trains nothing: the weights are random.
"""

from pathlib import Path

import onnx
import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.parametrizations import weight_norm

HERE = Path(__file__).parent
FEATURES, STEPS, CHANNELS = 4, 12, 6


class Chomp(nn.Module):
    """Takes off what padding on both sides added at the end."""

    def __init__(self, size):
        super().__init__()
        self.size = size

    def forward(self, x):
        return x[:, :, : -self.size].contiguous()


class Block(nn.Module):
    """The residual block of Bai, Kolter and Koltun's TCN."""

    def __init__(self, inputs, dilation):
        super().__init__()
        layers = []
        for at, size in enumerate((inputs, CHANNELS)):
            one = nn.Conv1d(size, CHANNELS, 2, padding=dilation, dilation=dilation)
            layers += [weight_norm(one), Chomp(dilation), nn.ReLU(), nn.Dropout(0.1)]
        self.layers = nn.Sequential(*layers)
        self.skip = nn.Conv1d(inputs, CHANNELS, 1) if inputs != CHANNELS else nn.Identity()

    def forward(self, x):
        return torch.relu(self.layers(x) + self.skip(x))


class Tcn(nn.Module):
    """Dilations 1, 2: the last column sees 7 rows; with 4 it would see 15."""

    def __init__(self, *dilations):
        super().__init__()
        sizes = [FEATURES] + [CHANNELS] * (len(dilations) - 1)
        self.blocks = nn.Sequential(*(Block(size, by) for size, by in zip(sizes, dilations)))
        self.head = nn.Sequential(nn.Linear(CHANNELS, 3), nn.Softmax(dim=1))

    def forward(self, x):
        return self.head(self.blocks(x.transpose(1, 2))[:, :, -1])


class Padded(nn.Module):
    """Rows normalised, zeros put before the first, batch normalisation, a head on every column."""

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.randn(FEATURES))
        self.register_buffer("std", torch.rand(FEATURES) + 0.5)
        self.first, self.second = nn.Conv1d(FEATURES, 8, 3), nn.Conv1d(8, CHANNELS, 3, dilation=2)
        self.norm, self.head = nn.BatchNorm1d(8), nn.Linear(CHANNELS, 2)
        self.norm.running_mean.uniform_(-1, 1)
        self.norm.running_var.uniform_(0.5, 2)

    def forward(self, x):
        x = ((x - self.mean) / self.std).permute(0, 2, 1)
        x = torch.tanh(self.norm(self.first(functional.pad(x, (2, 0)))))
        x = torch.sigmoid(self.second(functional.pad(x, (4, 0))))
        return self.head(x.transpose(1, 2))[:, -1]


class Valid(nn.Module):
    """Convolutions without padding, then something over all columns."""

    def __init__(self, over, width, padding=0, stride=1, groups=1):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv1d(FEATURES, 8, 3, padding=padding, stride=stride),
            nn.ReLU(),
            nn.Conv1d(8, CHANNELS, 3, groups=groups),
            nn.ReLU(),
        )
        self.over = over
        self.head = nn.Sequential(nn.Linear(width, 5), nn.ReLU(), nn.Linear(5, 3), nn.Softmax(dim=1))

    def forward(self, x):
        return self.head(self.over(self.layers(x.transpose(1, 2))))


class Image(nn.Module):
    """A convolution over two dimensions."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 3, (3, 2)), nn.ReLU(), nn.Flatten(), nn.Linear(3 * (STEPS - 2) * (FEATURES - 1), 2)
        )

    def forward(self, x):
        return self.layers(x.unsqueeze(1))


class Recurrent(nn.Module):
    """An LSTM on the columns."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Conv1d(FEATURES, 8, 3)
        self.lstm, self.head = nn.LSTM(8, 5, batch_first=True), nn.Linear(5, 2)

    def forward(self, x):
        x, _ = self.lstm(torch.relu(self.layer(x.transpose(1, 2))).transpose(1, 2))
        return self.head(x[:, -1])


class Gated(nn.Module):
    """tanh of one convolution times sigmoid of another."""

    def __init__(self):
        super().__init__()
        self.value, self.gate = nn.Conv1d(FEATURES, 8, 3), nn.Conv1d(FEATURES, 8, 3)
        self.head = nn.Linear(8, 2)

    def forward(self, x):
        x = x.transpose(1, 2)
        return self.head((torch.tanh(self.value(x)) * torch.sigmoid(self.gate(x)))[:, :, -1])


class Early(nn.Module):
    """One convolution, of which the sums and their activation are both taken."""

    def __init__(self):
        super().__init__()
        self.layer, self.head = nn.Conv1d(FEATURES, 8, 3), nn.Linear(8, 2)

    def forward(self, x):
        sums = self.layer(x.transpose(1, 2))
        return self.head((torch.relu(sums) + sums)[:, :, -1])


def networks():
    columns = STEPS - 4
    flat = columns * CHANNELS
    yield "tcn", Tcn(1, 2)
    yield "padded", Padded()
    yield "flat", Valid(nn.Flatten(), flat)
    yield "flat-by-step", Valid(lambda x: x.transpose(1, 2).flatten(1), flat)
    yield "mean", Valid(lambda x: x.mean(dim=2), CHANNELS)
    yield "pooled", Valid(lambda x: functional.adaptive_avg_pool1d(x, 1).flatten(1), CHANNELS)
    yield "largest", Valid(lambda x: x.amax(dim=2), CHANNELS)
    yield "last-three", Valid(lambda x: x[:, :, -3:].flatten(1), 3 * CHANNELS)
    yield "refused-long", Tcn(1, 2, 4)
    yield "refused-centred", Valid(nn.Flatten(), flat + 2 * CHANNELS, padding=1)
    yield "refused-stride", Valid(lambda x: x[:, :, -1], CHANNELS, stride=2)
    yield "refused-groups", Valid(lambda x: x[:, :, -1], CHANNELS, groups=2)
    yield "refused-halved", Valid(lambda x: functional.max_pool1d(x, 2).flatten(1), flat // 2)
    yield "refused-older", Valid(lambda x: x[:, :, -2], CHANNELS)
    yield "refused-image", Image()
    yield "refused-recurrent", Recurrent()
    yield "refused-gated", Gated()
    yield "refused-early", Early()


def write(name, network, *, dynamo):
    network.eval()
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
    for dynamo in (False, True):
        torch.manual_seed(12)
        for name, network in networks():
            write(f"{'dynamo' if dynamo else 'script'}-{name}", network, dynamo=dynamo)


if __name__ == "__main__":
    main()
