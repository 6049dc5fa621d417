"""The networks: a BERT encoder with a head of three labels, and smaller ones to hold against it."""

import torch
from torch import nn

PAD, UNKNOWN, BEGIN, END = range(4)
LABELS = 3
WIDTH, HEADS, WIDE, POSITIONS = 384, 12, 1536, 64


class Layer(nn.Module):
    """Attention and two dense layers, each added to what came in, then normalised (as BERT does)."""

    def __init__(self, dropout):
        super().__init__()
        self.query, self.key, self.value, self.out = (nn.Linear(WIDTH, WIDTH) for _ in range(4))
        self.norm_attention, self.norm_dense = (nn.LayerNorm(WIDTH, 1e-12) for _ in range(2))
        self.wide, self.narrow = nn.Linear(WIDTH, WIDE), nn.Linear(WIDE, WIDTH)
        self.drop = nn.Dropout(dropout)

    def forward(self, states, seen):
        heads = lambda part: part.unflatten(-1, (HEADS, -1)).transpose(1, 2)
        query, key, value = (heads(dense(states)) for dense in (self.query, self.key, self.value))
        drop = self.drop.p if self.training else 0.0
        mixed = nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=seen, dropout_p=drop)
        mixed = mixed.transpose(1, 2).flatten(2)
        states = self.norm_attention(states + self.drop(self.out(mixed)))
        dense = self.narrow(nn.functional.gelu(self.wide(states)))
        return self.norm_dense(states + self.drop(dense))


class Encoder(nn.Module):
    """Layers over pieces and their positions; the mean of the last states decides."""

    def __init__(self, pieces, layers, dropout=0.1):
        super().__init__()
        self.words, self.positions = nn.Embedding(pieces, WIDTH), nn.Embedding(POSITIONS, WIDTH)
        self.norm, self.drop = nn.LayerNorm(WIDTH, 1e-12), nn.Dropout(dropout)
        self.layers = nn.ModuleList(Layer(dropout) for _ in range(layers))
        self.head = nn.Linear(WIDTH, LABELS)

    def states(self, ids):
        """What each layer gives, the last one last."""
        seen = (ids != PAD)[:, None, None, :]
        states = self.words(ids) + self.positions.weight[: ids.shape[1]]
        after = [self.drop(self.norm(states))]
        for layer in self.layers:
            after.append(layer(after[-1], seen))
        return after[1:]

    def decide(self, states, ids):
        with torch.autocast(ids.device.type, enabled=False):
            return self.head(self.drop(mean(states.float(), ids)))

    def forward(self, ids):
        return self.decide(self.states(ids)[-1], ids)

    def begin(self, weights, chosen):
        """Takes the layers `chosen` of a pretrained encoder, by the names of `weights.cut`."""
        kept = {name: value for name, value in weights.items() if not name.startswith("layers.")}
        for at, layer in enumerate(chosen):
            head = f"layers.{layer}."
            layers = {name: value for name, value in weights.items() if name.startswith(head)}
            kept |= {f"layers.{at}." + name.removeprefix(head): value for name, value in layers.items()}
        read = {name: torch.as_tensor(value).float() for name, value in kept.items()}
        missing, unknown = self.load_state_dict(read, strict=False)
        assert not unknown and set(missing) <= {"head.weight", "head.bias"}, (missing, unknown)
        return self


class Dense(nn.Module):
    """The mean of learnt embeddings through one hidden layer."""

    def __init__(self, pieces, width=128):
        super().__init__()
        self.words, self.drop = nn.Embedding(pieces, width), nn.Dropout(0.3)
        self.hidden, self.head = nn.Linear(width, 128), nn.Linear(128, LABELS)

    def forward(self, ids):
        return self.head(self.drop(torch.relu(self.hidden(self.drop(mean(self.words(ids), ids))))))


class Convolution(nn.Module):
    """Filters over two, three and four neighbouring pieces; the strongest answer of each decides."""

    def __init__(self, pieces, width=128):
        super().__init__()
        self.words, self.drop = nn.Embedding(pieces, width), nn.Dropout(0.5)
        self.filters = nn.ModuleList(nn.Conv1d(width, 100, size, padding=size - 1) for size in (2, 3, 4))
        self.head = nn.Linear(300, LABELS)

    def forward(self, ids):
        words = (self.words(ids) * (ids != PAD)[..., None]).transpose(1, 2)
        answers = [torch.relu(filters(words)).amax(-1) for filters in self.filters]
        return self.head(self.drop(torch.cat(answers, -1)))


class Recurrent(nn.Module):
    """An LSTM in both directions; the mean of its states decides."""

    def __init__(self, pieces, width=128):
        super().__init__()
        self.words, self.drop = nn.Embedding(pieces, width), nn.Dropout(0.3)
        self.lstm = nn.LSTM(width, 128, batch_first=True, bidirectional=True)
        self.head = nn.Linear(256, LABELS)

    def forward(self, ids):
        states, _ = self.lstm(self.drop(self.words(ids)))
        return self.head(self.drop(mean(states, ids)))


class Attention(nn.Module):
    """One layer of attention, four heads, over pieces and their positions; the mean of its states decides."""

    def __init__(self, pieces, width=128):
        super().__init__()
        self.words, self.positions = nn.Embedding(pieces, width), nn.Embedding(POSITIONS, width)
        self.layer = nn.TransformerEncoderLayer(width, 4, 2 * width, dropout=0.3, batch_first=True)
        self.head, self.drop = nn.Linear(width, LABELS), nn.Dropout(0.3)

    def forward(self, ids):
        states = self.drop(self.words(ids) + self.positions.weight[: ids.shape[1]])
        return self.head(self.drop(mean(self.layer(states, src_key_padding_mask=ids == PAD), ids)))


def mean(states, ids):
    """The mean over the pieces that are there."""
    there = (ids != PAD)[..., None].to(states.dtype)
    return (states * there).sum(1) / there.sum(1)
