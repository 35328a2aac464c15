"""Writes the small Keras files of Tests/CheckpointsTests/Fixtures: KERAS_BACKEND=numpy python3 Scripts/fixtures_keras.py

Needs Keras 3, h5py, NumPy, and for Keras' NumPy backend SciPy and JAX.
"""

import pathlib

import h5py
import keras
import numpy
from keras import layers

folder = pathlib.Path(__file__).parent.parent / "Tests" / "CheckpointsTests" / "Fixtures"
random = numpy.random.default_rng(0)


def network(*stages):
    """A functional model with random weights, its variances positive."""
    inputs = keras.Input((6, 6, 2))
    outputs = inputs
    for stage in stages:
        outputs = stage(outputs)
    model = keras.Model(inputs, outputs)
    for weight in model.weights:
        values = random.normal(0, 0.3, weight.shape)
        # Small variances, so that epsilon shows.
        weight.assign(numpy.abs(values) / 100 + 0.001 if "variance" in weight.path else values)
    return model


# Eleven convolutions, so that conv2d_10 comes after conv2d_2; then a map that is flattened.
deep = network(
    layers.Conv2D(3, 3, padding="same", use_bias=False), layers.BatchNormalization(), layers.ReLU(),
    *(layers.Conv2D(3, 1, use_bias=False) for _ in range(9)), layers.Conv2D(4, 1), layers.MaxPooling2D(2), layers.Flatten(),
    layers.Dense(5, activation="relu"), layers.Dense(3))
deep.save_weights(folder / "keras.weights.h5")
# Keras writes HDF5's oldest form; this is its latest, which is smaller.
with h5py.File(folder / "keras.weights.h5") as source:
    with h5py.File(folder / "keras-latest.h5", "w", libver="latest") as out:
        for name in source:
            source.copy(name, out)
(folder / "keras-latest.h5").replace(folder / "keras.weights.h5")

# A bias that batch norm makes idle, a norm without its scale, and a model within the model.
inner = keras.Sequential([keras.Input((6, 6, 3)), layers.Conv2D(4, 3), layers.BatchNormalization(scale=False)])
nested = network(layers.Conv2D(3, 3, padding="same"), layers.BatchNormalization(), layers.ReLU(), inner,
                 layers.GlobalAveragePooling2D(), layers.Dropout(0.5), layers.Dense(3))
nested.save(folder / "keras-model.h5")

# As TensorFlow's Keras wrote it: names as bytes, numbered outputs, kernels packed, and no model around the weights.
images = random.normal(size=(2, 6, 6, 2)).astype("f4")
with h5py.File(folder / "keras-model.h5") as source, h5py.File(folder / "keras-tensorflow.h5", "w") as out:
    source = source["model_weights"]
    names = list(source.attrs["layer_names"])
    # What is too long for an attribute is cut into several.
    out.attrs["layer_names0"] = [name.encode() for name in names[:2]]
    out.attrs["layer_names1"] = [name.encode() for name in names[2:]]
    for name in names:
        group = out.create_group(name)
        weights = list(source[name].attrs["weight_names"])
        group.attrs["weight_names"] = [f"{weight}:0".encode() for weight in weights] or numpy.zeros(0)
        for weight in weights:
            packing = {"compression": "gzip"} if weight.endswith("kernel") else {}
            group.create_dataset(f"{weight}:0", data=source[name][weight][()].astype("f8"), **packing)

numpy.savez(
    folder / "keras-outputs.npz", images=images, deep=deep(images, training=False),
    nested=nested(images, training=False))
