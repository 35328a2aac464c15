"""Trains a network of this library in PyTorch with this library's recipe, and prints its accuracy on the test images.

    python Scripts/train_peer.py cifar10 DIR/cifar-10-batches-bin resnet20 --subset 10000 --epochs 60

SGD with Nesterov's momentum 0.9 and weight decay 5e-4, batches of 128, a rate that rises over 5 % of the steps and falls to 0 by a
cosine, crops after padding by 4 and flips, the weights of the last step; a tenth of the images is kept for validation. The
random streams are PyTorch's, so the images of a subset are others. Weights begin as the networks of this library do.
"""
import argparse
import math
import os
import pathlib
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


class Block(nn.Module):
    """Two 3x3 convolutions with batch norm and a shortcut without parameters (option A)."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.stride, self.pad = stride, (outputs - inputs) // 2

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        around = x[:, :, :: self.stride, :: self.stride]
        if self.pad:
            around = F.pad(around, (0, 0, 0, 0, self.pad, self.pad))
        return F.relu(y + around)


def resnet(depth, classes):
    layers, inputs = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()], 16
    for stage, outputs in enumerate((16, 32, 64)):
        for block in range((depth - 2) // 6):
            layers.append(Block(inputs, outputs, 2 if stage and not block else 1))
            inputs = outputs
    model = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, classes))
    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(module.weight)
    return model


def published_resnet20():
    """ResNet20 with the names of akamaster/pytorch_resnet_cifar10, in the DataParallel that its weights were saved from."""

    class ResNet20(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1, self.bn1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16)
            self.layer1 = nn.Sequential(*(Block(16, 16, 1) for _ in range(3)))
            self.layer2 = nn.Sequential(Block(16, 32, 2), Block(32, 32, 1), Block(32, 32, 1))
            self.layer3 = nn.Sequential(Block(32, 64, 2), Block(64, 64, 1), Block(64, 64, 1))
            self.linear = nn.Linear(64, 10)

        def forward(self, x):
            return self.linear(self.layer3(self.layer2(self.layer1(F.relu(self.bn1(self.conv1(x)))))).mean((2, 3)))

    return nn.DataParallel(ResNet20())


def vgg16(classes):
    layers, inputs = [], 3
    for outputs, depth in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(depth):
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU()]
            inputs = outputs
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(512, classes))


def he(layers, last):
    """He et al.'s weights for all but the last layer, as this library begins networks without batch norm."""
    for layer in layers:
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(layer.weight)
    return nn.Sequential(*layers, last)


def lenet5(classes):
    return he([
        nn.Conv2d(3, 6, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU()], nn.Linear(84, classes))


def alexnet(classes):
    return he([
        nn.Conv2d(3, 64, 11, 4, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(),
        nn.MaxPool2d(2), nn.Conv2d(192, 384, 3, padding=1), nn.ReLU(), nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(),
        nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()], nn.Linear(256, classes))


def network(name, classes):
    named = {"vgg16": vgg16, "lenet5": lenet5, "alexnet": alexnet}
    return named[name](classes) if name in named else resnet(int(name.removeprefix("resnet")), classes)


def rate_of(name, batch):
    return (0.1 if name.startswith("resnet") else 0.05 if name == "vgg16" else 0.04) * batch / 128


def images(kind, folder, part):
    """Pixels `[images, 3, 32, 32]` as bytes, and labels."""
    if kind == "cifar10":
        files, header = [f"data_batch_{i}.bin" for i in range(1, 6)] if part == "train" else ["test_batch.bin"], 1
    else:
        files, header = [f"{part}.bin"], 2
    records = np.concatenate([np.fromfile(pathlib.Path(folder) / f, np.uint8).reshape(-1, header + 3072) for f in files])
    return torch.from_numpy(records[:, header:].reshape(-1, 3, 32, 32).copy()), torch.from_numpy(records[:, header - 1].astype(np.int64))


def stratified(labels, count, generator):
    """`count` positions, the same share of each class, and the others."""
    chosen = []
    for label in labels.unique():
        own = (labels == label).nonzero()[:, 0]
        order = own[torch.randperm(len(own), generator=generator)]
        chosen.append(order[: round(count * len(own) / len(labels))])
    chosen = torch.cat(chosen)
    rest = torch.ones(len(labels), dtype=torch.bool)
    rest[chosen] = False
    return chosen, rest.nonzero()[:, 0]


def accuracy(model, pixels, labels, normalized):
    model.eval()
    with torch.no_grad():
        right = sum((model(normalized(x)).argmax(1) == y).sum().item() for x, y in zip(pixels.split(500), labels.split(500)))
    return right / len(labels)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=["cifar10", "cifar100"])
    parser.add_argument("folder")
    parser.add_argument("model")
    parser.add_argument("--subset", type=int)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--state", help="a file that each epoch is saved to, and resumed from")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    generator = torch.Generator().manual_seed(options.seed)

    pixels, labels = images(options.kind, options.folder, "train")
    if options.subset:
        chosen, _ = stratified(labels, options.subset, torch.Generator().manual_seed(0))
        pixels, labels = pixels[chosen], labels[chosen]
    kept, used = stratified(labels, round(len(labels) / 10), torch.Generator().manual_seed(1))
    validation, (pixels, labels) = (pixels[kept], labels[kept]), (pixels[used], labels[used])
    scaled = pixels.double() / 255
    mean = scaled.mean((0, 2, 3)).float().view(1, 3, 1, 1)
    deviation = scaled.std((0, 2, 3), unbiased=False).float().view(1, 3, 1, 1)

    def normalized(x):
        return ((x.float() / 255 - mean) / deviation).contiguous(memory_format=torch.channels_last)

    model = network(options.model, int(labels.max()) + 1).to(memory_format=torch.channels_last)
    batch = 128
    rate = rate_of(options.model, batch)
    optimizer = torch.optim.SGD(model.parameters(), rate, momentum=0.9, nesterov=True, weight_decay=5e-4)
    batches = math.ceil(len(labels) / batch)
    steps = options.epochs * batches
    rising = steps // 20
    step, first = 0, 0
    if options.state and os.path.exists(options.state):
        state = torch.load(options.state)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        generator.set_state(state["generator"])
        step, first = state["step"], state["epoch"]
    for epoch in range(first, options.epochs):
        model.train()
        begun, order = time.time(), torch.randperm(len(labels), generator=generator)
        for rows in order.split(batch):
            # PyTorch's batch norm cannot train on one image either.
            if len(rows) == 1:
                continue
            x, n = pixels[rows], len(rows)
            padded = F.pad(x, (4, 4, 4, 4))
            top, left = (torch.randint(0, 9, (n,), generator=generator) for _ in range(2))
            x = torch.stack([padded[i, :, t : t + 32, l : l + 32] for i, (t, l) in enumerate(zip(top.tolist(), left.tolist()))])
            flips = torch.rand(n, generator=generator) < 0.5
            x[flips] = x[flips].flip(3)
            now = (step + 1) / rising if step < rising else 0.5 * (1 + math.cos(math.pi * (step - rising) / (steps - rising)))
            for group in optimizer.param_groups:
                group["lr"] = rate * now
            optimizer.zero_grad()
            F.cross_entropy(model(normalized(x)), labels[rows]).backward()
            optimizer.step()
            step += 1
        if options.state:
            torch.save(
                {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "generator": generator.get_state(),
                 "step": step, "epoch": epoch + 1}, options.state + ".new")
            os.replace(options.state + ".new", options.state)
        print(f"epoch {epoch + 1}  {time.time() - begun:.1f} s", file=sys.stderr, flush=True)
    print(f"{options.model} on {options.kind}: validation {accuracy(model, *validation, normalized):.2%}, "
          f"test {accuracy(model, *images(options.kind, options.folder, 'test'), normalized):.2%}")


if __name__ == "__main__":
    main()
