"""How often the best converted image lies nearest to a representative of the image's class.

    python Scripts/ideal_mixtures.py OUT SEED cifar100 DIR/cifar-100-binary

Under the squared error the best output for an image is the mean of the targets that it may have, each times its probability. This
makes that mixture of the representatives of a finished run (ResNet20), with the baseline's own probabilities, for 10,000 of the
training images drawn at random: what no autoencoder can do much better. Needs PyTorch, NumPy and safetensors.
"""
import json
import pathlib
import sys

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.torch import load_file


def images(name, folder):
    folder = pathlib.Path(folder)
    files = [folder / "train.bin"] if name == "cifar100" else [folder / f"data_batch_{i}.bin" for i in range(1, 6)]
    labels = 2 if name == "cifar100" else 1
    rows = np.concatenate([np.fromfile(file, np.uint8) for file in files]).reshape(-1, 3072 + labels)
    return rows[:, labels:].reshape(-1, 3, 32, 32), rows[:, labels - 1].astype(int)


def logits(state, x):
    """ResNet20 with shortcuts without parameters, in evaluation mode."""

    def norm(x, name):
        return F.batch_norm(x, *(state[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")))

    x = F.relu(norm(F.conv2d(x, state["conv1.weight"], padding=1), "bn1"))
    for layer in (1, 2, 3):
        for block in range(3):
            name, stride = f"layer{layer}.{block}", 2 if layer > 1 and block == 0 else 1
            y = F.relu(norm(F.conv2d(x, state[f"{name}.conv1.weight"], stride=stride, padding=1), f"{name}.bn1"))
            y = norm(F.conv2d(y, state[f"{name}.conv2.weight"], padding=1), f"{name}.bn2")
            around, pad = x[:, :, ::stride, ::stride], (y.shape[1] - x.shape[1]) // 2
            x = F.relu(y + F.pad(around, (0, 0, 0, 0, pad, pad)))
    head = next(name for name in state if name.endswith("weight") and state[name].dim() == 2)
    return F.linear(x.mean((2, 3)), state[head], state[head.replace("weight", "bias")])


def main():
    run, seed, name, folder = sys.argv[1:5]
    weights = f"{run}/seed-{seed}/A0.safetensors"
    state = load_file(weights)
    with safe_open(weights, "pt") as file:
        normalization = json.loads(file.metadata()["encodenet"])["normalization"]
    mean, std = (torch.tensor(normalization[key]).view(-1, 1, 1) for key in ("mean", "deviation"))
    pixels, labels = images(name, folder)
    chosen = np.random.default_rng(0).permutation(len(labels))[:10_000]
    y = torch.tensor(labels[chosen])
    with torch.no_grad():
        parts = [chosen[i : i + 500] for i in range(0, len(chosen), 500)]
        p = torch.cat([logits(state, (torch.tensor(pixels[part]).float() / 255 - mean) / std) for part in parts]).softmax(1)
    report = json.load(open(f"{run}/report.json"))
    found = next(s["diagnostics"] for s in report["seeds"] if s["seed"] == int(seed))["representatives"]
    classes = torch.tensor([r["label"] for r in found])
    targets = torch.tensor(pixels[[r["index"] for r in found]]).float().flatten(1) / 255

    def percent(hits):
        return f"{100 * hits.float().mean():.1f} %"

    def nearest(shares, among):
        return torch.cdist(shares @ targets[among], targets[among]).argmin(1)

    every = torch.arange(len(found))
    first = torch.tensor([int((classes == label).nonzero()[0]) for label in range(p.shape[1])])
    clusters = torch.bincount(classes, minlength=p.shape[1]).float()
    mixed = nearest(p[:, classes] / clusters[classes], every)
    print("the baseline is right on", percent(p.argmax(1) == y))
    print("mixture of all clusters' representatives: nearest is of the class for", percent(classes[mixed] == y))
    print("one representative takes", percent(mixed == torch.bincount(mixed).argmax()))
    print("mixture of one representative a class:", percent(classes[first][nearest(p, first)] == y))


main()
