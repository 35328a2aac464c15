#!/usr/bin/env python3
"""Writes what PyTorch makes of zeros, infinities, NaN and empty batches, for Tests/TensorsTests and Tests/LayersTests.

Usage: python3 Scripts/fixtures_edges.py        (needs torch; only to regenerate the fixtures)

Numbers are texts, as JSON has neither infinities nor NaN. Images are NHWC, weights HWIO. Gradients are those of the sum.
"""
import json
import pathlib

import torch
from torch.nn import functional as F

TESTS = pathlib.Path(__file__).resolve().parent.parent / "Tests"
torch.set_default_dtype(torch.float64)
INF, NAN = float("inf"), float("nan")
IMAGE, WEIGHT = (0, 2, 3, 1), (2, 3, 1, 0)


def pack(t, layout=None):
    t = t.detach().permute(layout) if layout else t.detach()
    return {"shape": list(t.shape), "data": [repr(float(v)) for v in t.reshape(-1).tolist()]}


def case(name, f, *inputs, layouts=(), to=None):
    xs = [torch.as_tensor(x).clone().requires_grad_() for x in inputs]
    y = f(*xs)
    gradients = torch.autograd.grad(y.sum() + sum(0 * x[x.isfinite()].sum() for x in xs), xs)
    layouts = list(layouts) + [None] * len(xs)
    return {"name": name, "inputs": [pack(x, l) for x, l in zip(xs, layouts)], "output": pack(y, to),
            "gradients": [pack(g, l) for g, l in zip(gradients, layouts)]}


def empty(name, f, *inputs, layouts=(IMAGE, WEIGHT), to=IMAGE):
    return case(name, f, *inputs, layouts=layouts, to=to)


edge = torch.tensor([-INF, -2.0, -0.0, 0.0, 0.5, INF])
# Of which a difference of logarithms would have no digit left.
large = torch.tensor([[1e7, 1e7 - 1, 1e7 + 1], [-3e6, -3e6, -INF]])
images, weight = torch.zeros(0, 3, 8, 8), torch.ones(4, 3, 3, 3)
tensors = [
    case("relu", F.relu, edge),
    case("elu", F.elu, edge),
    case("leakyReLU", lambda x: F.leaky_relu(x, 0.01), torch.tensor([-INF, -2.0, 0.5, INF])),
    case("pow", torch.pow, [0.0, 0.0, 0.0, 0.0, 2.0, 2.0, 1.5], [0.0, 1.0, 2.0, 0.5, 0.0, 3.0, -1.0]),
    case("pow to the 0", lambda x: x.pow(0), [0.0, 2.0, -1.0]),
    case("pow to the 2", lambda x: x.pow(2), [0.0, 2.0, -1.0]),
    case("topK", lambda x: x.topk(4).values, [3.0, NAN, INF, 1.0, NAN, 3.0]),
    case("product", lambda x: x.prod(), torch.zeros(0)),
    case("product of rows", lambda x: x.prod(1), torch.zeros(3, 0)),
    case("maximum", torch.maximum, [1.0, NAN, 2.0, 5.0], [1.0, 1.0, NAN, 3.0]),
    case("minimum", torch.minimum, [1.0, NAN, 2.0, 5.0], [1.0, 1.0, NAN, 3.0]),
    case("softmax", lambda x: x.softmax(1) * torch.arange(6.0).reshape(2, 3), large),
    case("logSoftmax", lambda x: x.log_softmax(1), large),
    case("scaledDotProductAttention", lambda q, m: F.scaled_dot_product_attention(q, q, q, attn_mask=m),
         [[[1.0, 2.0], [3.0, 4.0], [0.5, -1.0]]], [[0.0, 0.0, -INF], [-INF] * 3, [0.5, -INF, -INF]]),
    case("variance of one", lambda x: x.var(correction=2), [5.0]),
    empty("conv2d", lambda x, w: F.conv2d(x, w, padding=1, stride=2), images, weight),
    empty("convTranspose2d", lambda x, w: F.conv_transpose2d(x, w, stride=2), torch.zeros(0, 4, 8, 8), weight),
    empty("maxPool2d", lambda x: F.max_pool2d(x, 2), images),
    empty("averagePool2d", lambda x: F.avg_pool2d(x, 3, stride=2, padding=1), images),
    empty("globalAveragePool2d", lambda x: x.mean((2, 3)), images, to=(0, 1)),
]
layers = [
    case("softmaxCrossEntropy", lambda x: F.cross_entropy(x, torch.tensor([0, 2])), [[1.0, -INF, 2.0], [0.5, -1.0, 1.0]]),
    case("softmaxCrossEntropy of an impossible label", lambda x: F.cross_entropy(x, torch.tensor([1])), [[1.0, -INF, 2.0]]),
    case("softmaxCrossEntropy of ignored labels", lambda x: F.cross_entropy(x, torch.tensor([-1, -1]), ignore_index=-1), torch.eye(2)),
    empty("Flatten", lambda x: x.flatten(1), torch.zeros(0, 2, 4, 4), to=(0, 1)),
]
for folder, cases in (("TensorsTests", tensors), ("LayersTests", layers)):
    text = "[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]\n"
    (TESTS / folder / "Fixtures/edges.json").write_text(text)
