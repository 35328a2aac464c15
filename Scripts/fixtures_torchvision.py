#!/usr/bin/env python3
"""Writes what torchvision makes of its ResNets, its MobileNetV2 and of changes of images, for Tests/LayersTests and Tests/DatasetsTests.

Usage: python3 Scripts/fixtures_torchvision.py        (needs torch, torchvision 0.28 and Pillow; only to regenerate the fixtures)

torchvision imports beside a torch that was built for another accelerator once its two operators are declared: its networks and its
transforms of Pillow's images need neither.

The weights of a whole network are not written. Both sides draw them alike, see `uniform`: each element from the seed, the name of
its tensor and its place in PyTorch's order of the elements.
"""
import json
import math
import pathlib
import sys

import numpy
import torch

operators = torch.library.Library("torchvision", "DEF")
operators.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
operators.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

import torchvision
from PIL import Image
from torchvision.models.mobilenetv2 import InvertedResidual
from torchvision.models.resnet import BasicBlock, Bottleneck
from torchvision.transforms import functional as V

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from fixtures_layers import layer_cases, pack

TESTS = pathlib.Path(__file__).resolve().parent.parent / "Tests"
SEED = 29


def write(path, value):
    (TESTS / path).parent.mkdir(exist_ok=True)
    (TESTS / path).write_text(json.dumps(value, separators=(",", ":")) + "\n")


# Seeded weights

GAMMA, MASK = 0x9E3779B97F4A7C15, (1 << 64) - 1


def mixed(z):
    """SplitMix64's function of its state, of a number or an array."""
    if isinstance(z, int):
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & MASK
        z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK
        return z ^ z >> 31
    z = (z ^ z >> numpy.uint64(30)) * numpy.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ z >> numpy.uint64(27)) * numpy.uint64(0x94D049BB133111EB)
    return z ^ z >> numpy.uint64(31)


def uniform(seed, name, shape):
    """Numbers in -1..<1: `SplittableGenerator(seed: seed, stream: name)`, then `Tensor.uniform`, of 24 bits each."""
    fnv = 0xCBF29CE484222325
    for byte in name.encode():
        fnv = (fnv ^ byte) * 0x100000001B3 & MASK
    stream = mixed(mixed(seed + GAMMA & MASK) ^ mixed(fnv))
    first = mixed(stream + GAMMA & MASK)
    with numpy.errstate(over="ignore"):
        places = numpy.arange(1, math.prod(shape) + 1, dtype=numpy.uint64) * numpy.uint64(GAMMA) + numpy.uint64(first)
        bits = mixed(places) >> numpy.uint64(40)
    return torch.from_numpy(bits.astype(numpy.float64) * 2.0**-23 - 1).reshape(shape)


def assign(model, seed):
    """Weights of standard deviation √(1 / fan in), and norms whose statistics are none of the beginning's."""
    for name, tensor in model.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        u = uniform(seed, name, tuple(tensor.shape))
        if tensor.dim() > 1:
            u *= math.sqrt(3 / math.prod(tensor.shape[1:]))
        elif name.endswith("running_var") or (name.endswith("weight") and tensor.dim() == 1):
            u = 1 + 0.5 * u
        else:
            u *= 0.3
        tensor.copy_(u)


def networks():
    images = (uniform(SEED, "images", (2, 3, 40, 48)) * 128 + 128).floor() / 255
    names, runs = {}, []
    for depth in [18, 34, 50]:
        model = getattr(torchvision.models, f"resnet{depth}")(num_classes=100).double().eval()
        assign(model, SEED)
        names[str(depth)] = {
            k: list((v.permute(2, 3, 1, 0) if v.dim() == 4 else v).shape)
            for k, v in model.state_dict().items() if "num_batches" not in k}
        with torch.no_grad():
            runs.append({"depth": depth, "seed": SEED, "logits": pack(model(images))})
    write("LayersTests/Fixtures/imagenet-resnets.json", {
        "images": [int(v) for v in (images * 255).round().permute(0, 2, 3, 1).reshape(-1)], "shape": [2, 40, 48, 3],
        "names": names, "runs": runs})


def mobile_network():
    """MobileNetV2 of two widths."""
    images = (uniform(SEED, "images", (2, 3, 40, 48)) * 128 + 128).floor() / 255
    runs = []
    for width in [1.0, 0.35]:
        model = torchvision.models.mobilenet_v2(num_classes=100, width_mult=width).double().eval()
        assign(model, SEED)
        shapes = {
            k: list((v.permute(2, 3, 1, 0) if v.dim() == 4 else v).shape)
            for k, v in model.state_dict().items() if "num_batches" not in k}
        with torch.no_grad():
            runs.append({"width": width, "seed": SEED, "shapes": shapes, "logits": pack(model(images))})
    write("LayersTests/Fixtures/mobilenetv2.json", {
        "images": [int(v) for v in (images * 255).round().permute(0, 2, 3, 1).reshape(-1)], "shape": [2, 40, 48, 3], "runs": runs})


def blocks():
    torch.manual_seed(SEED)
    cases, case = layer_cases()

    def downsample(inputs, outputs, stride):
        return torch.nn.Sequential(torch.nn.Conv2d(inputs, outputs, 1, stride, bias=False), torch.nn.BatchNorm2d(outputs))

    case("basic block", BasicBlock(3, 4, 2, downsample(3, 4, 2)), 2, 3, 5, 6)
    case("bottleneck", Bottleneck(8, 2), 2, 8, 4, 3)
    case("bottleneck, stride 2", Bottleneck(3, 2, 2, downsample(3, 8, 2)), 2, 3, 5, 6)
    write("LayersTests/Fixtures/residuals.json", cases)
    torch.manual_seed(SEED)
    cases, case = layer_cases()
    case("relu6", torch.nn.ReLU6(), 3, 7)
    case("inverted residual", InvertedResidual(4, 4, 1, 3), 2, 4, 4, 3)
    case("inverted residual, stride 2", InvertedResidual(3, 5, 2, 2), 2, 3, 5, 4)
    case("inverted residual without expansion", InvertedResidual(4, 6, 1, 1), 1, 4, 4, 3)
    write("LayersTests/Fixtures/inverted-residuals.json", cases)


# Changes of images

HEIGHT, WIDTH = 11, 13
FILL = (90, 100, 110)


def picture(channels):
    """Waves of colour with noise on them, 20 to 220."""
    y, x = numpy.mgrid[0:HEIGHT, 0:WIDTH]
    waves = [numpy.sin(x * 0.5 + c) + numpy.cos(y * 0.7 - 2 * c) for c in range(channels)]
    noise = uniform(SEED, "noise", (HEIGHT, WIDTH, channels)).numpy() * 20
    pixels = numpy.stack(waves, -1) * 40 + 120 + noise
    return Image.fromarray(pixels.round().astype(numpy.uint8).squeeze())


def sheared(image, x, y, fill):
    degrees = [math.degrees(math.atan(s)) for s in (x, y)]
    return V.affine(image, 0.0, [0, 0], 1.0, degrees, fill=fill, center=[0, 0])


def changes():
    """Every change with fixed parameters, as Pillow makes it."""
    cases = []
    for channels in [3, 1]:
        image = picture(channels)
        fill = FILL if channels == 3 else FILL[0]

        def case(name, changed, *values):
            pixels = numpy.asarray(changed).reshape(-1)
            cases.append({"name": name, "channels": channels, "values": values, "pixels": pixels.tolist()})

        case("identity", image)
        for top, left, height, width in [(2, 3, 7, 6), (0, 0, 11, 13), (10, 0, 1, 13), (4, 5, 1, 1)]:
            case("resizedCrop", V.resized_crop(image, top, left, height, width, [HEIGHT, WIDTH]), top, left, height, width)
        for factor in [0.0, 0.4, 1.7]:
            case("brightness", V.adjust_brightness(image, factor), factor)
            case("contrast", V.adjust_contrast(image, factor), factor)
            case("saturation", V.adjust_saturation(image, factor), factor)
            case("sharpness", V.adjust_sharpness(image, factor), factor)
        for factor in [-0.4, 0.1, 0.5]:
            # On a tensor: Pillow's hue is of 8 bits.
            tensor = torch.from_numpy(numpy.array(image).reshape(HEIGHT, WIDTH, channels)).permute(2, 0, 1) / 255
            case("hue", (V.adjust_hue(tensor, factor) * 255).round().byte().permute(1, 2, 0), factor)
        for bits in [2, 5, 8]:
            case("posterize", V.posterize(image, bits), bits)
        for threshold in [0, 119, 255]:
            case("solarize", V.solarize(image, threshold), threshold)
        case("autoContrast", V.autocontrast(image))
        case("equalize", V.equalize(image))
        for shear in [-0.99, 0.3]:
            case("shearX", sheared(image, shear, 0, fill), shear)
            case("shearY", sheared(image, 0, shear, fill), shear)
        for angle in [-30.0, 112.5]:
            case("rotate", V.rotate(image, angle, fill=fill), angle)
        for right, down in [(3, 0), (-4, 0), (0, 5), (0, -20)]:
            case("translate", V.affine(image, 0.0, [right, down], 1.0, [0.0, 0.0], fill=fill), right, down)
    images = {str(c): numpy.asarray(picture(c)).reshape(-1).tolist() for c in [1, 3]}
    write("DatasetsTests/Fixtures/changes.json", {
        "height": HEIGHT, "width": WIDTH, "fill": FILL, "images": images, "cases": cases})


if __name__ == "__main__":
    with torch.no_grad():
        networks()
        mobile_network()
    blocks()
    changes()
