"""Small recurrent networks as Keras gives them: through tf2onnx, and through its PyTorch backend.

    python make_keras.py                          # writes keras-*.onnx beside this file
    KERAS_BACKEND=torch python make_keras.py      # writes keras-refused-unrolled.onnx: no layer is one node

Last run with keras 3.15.1, tensorflow-cpu 2.21.0, tf2onnx 1.17.0, onnx 1.23.2; torch 2.15.0. Trains
nothing: the weights are random.
"""

from pathlib import Path

import keras
import numpy as np

HERE = Path(__file__).parent
FEATURES, STEPS, FIRST, SECOND = 4, 9, 8, 5


def stack(kind, head, **settings):
    """Normalisation, two layers with random biases, a head."""
    layers = keras.layers
    # A Normalization layer keeps tensors of its own, which become inputs of the traced function.
    scale = layers.Rescaling([1.0, 0.5, 2.0, 0.8], offset=[0.1, -0.2, 0.0, 0.3])
    network = keras.Sequential([
        keras.Input((STEPS, FEATURES), name="window"),
        scale,
        getattr(layers, kind)(FIRST, return_sequences=True, **settings),
        layers.Dropout(0.2),
        getattr(layers, kind)(SECOND, **settings),
        *head,
    ])
    draw = np.random.default_rng(5)
    for layer in network.layers:
        if isinstance(layer, (layers.LSTM, layers.GRU)):
            *weights, bias = layer.get_weights()
            bias = bias + draw.uniform(-0.5, 0.5, bias.shape)
            # The second quarter is the forget gate of an LSTM, the first third the update gate of a GRU.
            units = layer.units
            bias[..., units : 2 * units] += 1.0 if kind == "LSTM" else 0.0
            bias[..., :units] += 2.0 if kind == "GRU" else 0.0
            layer.set_weights([*weights, bias])
    return network


def classes():
    return [keras.layers.Dense(6, activation="relu"), keras.layers.Dense(3, activation="softmax")]


def chance():
    return [keras.layers.Dense(1, activation="sigmoid")]


def write(name, network):
    import tensorflow as tf
    import tf2onnx

    # Only a traced function gives the layers' fused form, which tf2onnx reads as one node.
    window = tf.TensorSpec((None, STEPS, FEATURES), tf.float32, name="window")
    call = tf.function(lambda x: network(x, training=False), input_signature=[window])
    path = HERE / f"keras-{name}.onnx"
    tf2onnx.convert.from_function(call, input_signature=[window], opset=15, output_path=str(path))
    print(path.name, path.stat().st_size)


def write_unrolled():
    path = HERE / "keras-refused-unrolled.onnx"
    network = stack("LSTM", chance())
    network(np.zeros((1, STEPS, FEATURES), np.float32))
    network.export(str(path), format="onnx", verbose=False)
    print(path.name, path.stat().st_size)


def main():
    keras.utils.set_random_seed(3)
    if keras.backend.backend() == "torch":
        return write_unrolled()
    write("lstm", stack("LSTM", classes()))
    # tf2onnx knows no GRU of Keras 3: it stays a Loop.
    write("refused-gru", stack("GRU", chance()))
    write("refused-relu", stack("LSTM", chance(), activation="relu"))
    return None


if __name__ == "__main__":
    main()
