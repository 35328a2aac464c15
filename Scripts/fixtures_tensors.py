#!/usr/bin/env python3
"""Writes what PyTorch makes of every operation on tensors, values and gradients, for Tests/TensorsTests.

Usage: python3 Scripts/fixtures_tensors.py        (needs torch; only to regenerate the fixtures)

Everything is in the library's layouts: images NHWC, weights of both kinds of convolution HWIO. Inputs are exact in float and
never 0, and those of one tensor differ, so that no kink is met.
"""
import json
import math
import pathlib

import numpy
import torch
from torch.nn import functional as F

OUT = pathlib.Path(__file__).resolve().parent.parent / "Tests/TensorsTests/Fixtures"
torch.manual_seed(20)
torch.set_default_dtype(torch.float64)

LAYOUTS = {"i": (0, 2, 3, 1), "w": (2, 3, 1, 0)}  # image, weight
cases = []


def numbers(*shape, low=None, high=2.0):
    """Different odd multiples of 1/128 in random order, between -high and high or low and high."""
    n = int(numpy.prod(shape))
    step = max(1, int((high if low is None else (high - low) / 2) * 128 / max(n, 1))) | 1
    values = (2 * torch.randperm(n) + 1 - 2 * (n // 2)) * step / 128
    if low is not None:
        values = values - values.min() + low
    return values.reshape(shape)


def positive(*shape):
    return numbers(*shape, low=0.3828125, high=2.5)


def pack(t, layout="."):
    if layout in LAYOUTS:
        t = t.permute(LAYOUTS[layout])
    return {"shape": list(t.shape), "data": [float(f"{v:.10g}") for v in t.detach().reshape(-1).tolist()]}


def case(operation, f, *inputs, layouts="", to=".", axes=None, smooth=True, **options):
    """`to` is the output's layout; a smooth operation has second derivatives that are not all 0 by nature or by kinks."""
    layouts = layouts.ljust(len(inputs), ".")
    xs = [x.clone().requires_grad_() for x in inputs]
    y = f(*xs)
    upstream = numbers(*y.shape) if y.dim() else torch.tensor(1.25)
    total = (y * upstream).sum() + sum(0 * x.sum() for x in xs)
    gradients = torch.autograd.grad(total, xs)
    cases.append({
        "operation": operation, "axes": axes, "options": {k: int(v) for k, v in options.items()}, "smooth": smooth,
        "inputs": [pack(x, l) for x, l in zip(xs, layouts)], "upstream": pack(upstream, to), "output": pack(y, to),
        "gradients": [pack(g, l) for g, l in zip(gradients, layouts)],
    })


def elementwise():
    for name, f in {
        "negate": torch.neg, "exp": torch.exp, "expm1": torch.expm1, "abs": torch.abs, "sign": torch.sign,
        "square": torch.square, "sin": torch.sin, "cos": torch.cos, "tan": lambda x: torch.tan(x / 2),
        "tanh": torch.tanh, "erf": torch.erf, "sigmoid": torch.sigmoid, "softplus": F.softplus, "floor": torch.floor,
        "ceil": torch.ceil, "round": torch.round, "relu": F.relu, "leakyReLU": lambda x: F.leaky_relu(x, 0.125),
        "elu": F.elu, "gelu": F.gelu, "silu": F.silu, "clamped": lambda x: x.clamp(-0.75, 1.0),
        "cube": lambda x: x**3, "power 0": lambda x: x**0,
    }.items():
        case(name, f, numbers(3, 5))
    for name, f in {
        "log": torch.log, "log1p": torch.log1p, "sqrt": torch.sqrt, "rsqrt": torch.rsqrt, "power -1.5": lambda x: x**-1.5,
    }.items():
        case(name, f, positive(3, 5))
    # Far out, where naive formulas overflow.
    far = torch.tensor([-110.5, -30.25, 30.25, 110.5])
    for name, f in {"sigmoid": torch.sigmoid, "softplus": F.softplus, "tanh": torch.tanh, "erf": torch.erf,
                    "gelu": F.gelu, "silu": F.silu, "elu": F.elu}.items():
        case(name, f, far, smooth=False)
    case("replacing", lambda a, b: torch.where(a > 0, b, a), numbers(2, 3), numbers(3))


def binary():
    shapes = [([2, 3], [2, 3]), ([2, 3], [3]), ([2, 1], [1, 3]), ([3, 1], [2, 3, 4]), ([], [2, 2]), ([2, 1, 4], [1, 3, 1]),
              ([3, 1, 2, 1], [2, 1, 3]), ([1], [1, 1])]
    for a, b in shapes:
        for name, f in {"add": torch.add, "subtract": torch.sub, "multiply": torch.mul}.items():
            case(name, f, numbers(*a), numbers(*b))
        case("divide", torch.div, numbers(*a), positive(*b))
        case("power", torch.pow, positive(*a), numbers(*b))
    for name, f in {"maximum": torch.maximum, "minimum": torch.minimum}.items():
        case(name, f, numbers(2, 4), numbers(2, 4) + 1 / 64)
        case(name, f, numbers(3), numbers(2, 1) + 1 / 64)
    a, b = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([2.0, 2.0, 2.0])
    for name, f in {"maximum": torch.maximum, "minimum": torch.minimum, "less": torch.lt, "lessOrEqual": torch.le,
                    "greater": torch.gt, "greaterOrEqual": torch.ge, "equal": torch.eq, "notEqual": torch.ne}.items():
        case(name, lambda a, b: f(a, b) * 1.0, a, b, smooth=False)


def reductions():
    everything = None
    for shape, axes in [([2, 3, 4], everything), ([2, 3, 4], [0]), ([2, 3, 4], [1]), ([2, 3, 4], [-1]), ([2, 3, 4], [0, 2]),
                        ([3, 1, 2], [0, 1]), ([5], [0]), ([1, 1], everything)]:
        dims = list(range(len(shape))) if axes is None else axes
        for keep in [False, True]:
            o = {"axes": axes, "keeping": keep}
            case("sum", lambda x: x.sum(dims, keep), numbers(*shape), **o)
            case("mean", lambda x: x.mean(dims, keep), numbers(*shape), **o)
            case("max", lambda x: x.amax(dims, keep), numbers(*shape), **o)
            case("min", lambda x: x.amin(dims, keep), numbers(*shape), **o)
            case("logSumExp", lambda x: x.logsumexp(dims, keep), numbers(*shape), **o)
            case("variance", lambda x: x.var(dims, correction=0, keepdim=keep), numbers(*shape), correction=0, **o)

            def product(x):
                for d in sorted([d % x.dim() for d in dims], reverse=True):
                    x = x.prod(d, keep)
                return x

            case("product", product, numbers(*shape), **o)
    case("variance", lambda x: x.var([0, 1], correction=1), numbers(3, 4), axes=[0, 1], keeping=0, correction=1)
    case("product", lambda x: x.prod(1), torch.tensor([[1.5, 0, 2], [0, 3, 0]]), axes=[1], keeping=0)
    case("max", lambda x: x.amax([1]), torch.tensor([[1.0, 3, 3], [2, 2, 2]]), axes=[1], keeping=0, smooth=False)
    case("logSumExp", lambda x: x.logsumexp([1]), 200 * numbers(2, 3), axes=[1], keeping=0, smooth=False)
    for axis in [0, 1, -1]:
        case("cumulativeSum", lambda x: x.cumsum(axis), numbers(2, 3, 4), axis=axis)
        case("softmax", lambda x: x.softmax(axis), numbers(2, 3, 4), axis=axis)
        case("logSoftmax", lambda x: x.log_softmax(axis), numbers(2, 3, 4), axis=axis)
        case("argmax", lambda x: x.argmax(axis).reshape(-1) * 1.0, numbers(2, 3, 4), axis=axis)
        case("argmin", lambda x: x.argmin(axis).reshape(-1) * 1.0, numbers(2, 3, 4), axis=axis)
    case("softmax", lambda x: x.softmax(-1), 300 * numbers(2, 3), axis=-1, smooth=False)
    case("logSoftmax", lambda x: x.log_softmax(-1), 300 * numbers(2, 3), axis=-1, smooth=False)
    case("topK", lambda x: x.topk(2).values, numbers(2, 3, 4))
    case("topK indices", lambda x: x.topk(2).indices.reshape(-1) * 1.0, numbers(2, 3, 4))


def movement():
    x = numbers(2, 3, 4)
    case("reshaped", lambda x: x.reshape(4, 6), x)
    case("permuted", lambda x: x.permute(2, 0, 1), x)
    case("permuted rank 4", lambda x: x.permute(0, 3, 1, 2), numbers(2, 3, 1, 4))
    case("transposed", lambda x: x.transpose(1, 2), x)
    case("sliced", lambda x: x[1:2, 0:2, 1:4], x)
    case("padded", lambda x: F.pad(x, (1, 0, 0, 2, 1, 1), value=0.5), x)
    case("flipped", lambda x: x.flip(0, 2), x)
    case("unsqueezed", lambda x: x.unsqueeze(1), x)
    case("squeezed", lambda x: x.squeeze(1), numbers(2, 1, 3))
    case("subscript", lambda x: x[1], x)
    case("broadcast", lambda x: x.broadcast_to(2, 3, 4), numbers(3, 1))
    for axis, other in [(0, (1, 3)), (1, (2, 2))]:
        case("concatenated", lambda a, b: torch.cat([a, b, a], axis), numbers(2, 3), numbers(*other), axis=axis)
    for axis in [0, 1, -1]:
        case("stacked", lambda a, b: torch.stack([a, b], axis), numbers(2, 3), numbers(2, 3), axis=axis)
    case("split", lambda x: x.split([1, 2], 1)[1], x)
    case("gathering", lambda x: x[[1, 0, 1, 1]], numbers(3, 2))
    case("gathering axis 1", lambda x: x[:, [2, 0, 2]], x)
    case("scatterAdded", lambda x: torch.zeros(3, 2).index_add(0, torch.tensor([2, 0, 2, 2]), x), numbers(4, 2))


def products():
    for a, b in [((2, 3), (3, 4)), ((1, 5), (5, 1)), ((2, 3, 4), (2, 4, 2)), ((2, 1, 3, 2), (3, 2, 4)), ((3, 2), (4, 2, 3)),
                 ((2, 2, 3), (3, 1))]:
        for ta, tb in [(0, 0), (1, 0), (0, 1), (1, 1)]:
            x, y = numbers(*a), numbers(*b)
            case("matmul", lambda x, y: (x.mT if ta else x) @ (y.mT if tb else y), x.mT.contiguous() if ta else x,
                 y.mT.contiguous() if tb else y, transposeA=ta, transposeB=tb)
    case("solve", torch.linalg.solve, numbers(3, 3) + 3 * torch.eye(3), numbers(3, 2))
    case("solve", torch.linalg.solve, numbers(3, 3) + 3 * torch.eye(3), numbers(3))


def images():
    # batch, channels, height, width, outputs, kernel, stride, padding, dilation, groups
    for n, c, h, w, o, k, s, p, d, g in [
        (1, 1, 1, 1, 1, 1, 1, 0, 1, 1), (2, 3, 5, 6, 4, 3, 1, 1, 1, 1), (1, 1, 5, 7, 1, 3, 2, 1, 1, 1),
        (2, 2, 7, 5, 3, 3, 2, 0, 1, 1), (1, 4, 6, 5, 6, 3, 1, 2, 2, 2), (1, 3, 5, 5, 3, 3, 1, 1, 1, 3),
        (2, 3, 3, 3, 5, 1, 1, 0, 1, 1), (1, 5, 5, 3, 2, 1, 2, 0, 1, 1), (1, 2, 9, 7, 2, 5, 3, 2, 1, 1),
        (1, 2, 3, 3, 1, 3, 1, 0, 1, 1), (1, 2, 6, 6, 2, 2, 2, 0, 1, 1), (1, 2, 7, 7, 4, 3, 2, 3, 3, 2),
        (1, 9, 5, 3, 7, 3, 1, 1, 1, 1),
    ]:
        options = {"stride": s, "padding": p, "dilation": d, "groups": g}
        case("conv2d", lambda x, w, b: F.conv2d(x, w, b, **options), numbers(n, c, h, w), numbers(o, c // g, k, k),
             numbers(o), layouts="iw.", to="i", **options)
    for n, c, h, w, o, k, s, p, e, d, g in [
        (1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1), (2, 3, 3, 4, 2, 3, 1, 1, 0, 1, 1), (1, 1, 3, 5, 1, 3, 2, 1, 1, 1, 1),
        (2, 3, 4, 3, 2, 2, 2, 0, 0, 1, 1), (1, 4, 3, 3, 6, 3, 2, 1, 0, 1, 2), (1, 2, 3, 2, 3, 3, 1, 0, 0, 2, 1),
        (1, 2, 2, 3, 2, 5, 3, 2, 2, 1, 1), (1, 3, 3, 3, 3, 3, 1, 1, 0, 1, 3), (1, 2, 3, 3, 4, 1, 2, 0, 1, 1, 2),
    ]:
        options = {"stride": s, "padding": p, "output_padding": e, "dilation": d, "groups": g}
        case("convTranspose2d", lambda x, w, b: F.conv_transpose2d(x, w, b, **options), numbers(n, c, h, w),
             numbers(c, o // g, k, k), numbers(o), layouts="iw.", to="i", **options)
    for h, w, size, s, p in [(4, 4, 2, 2, 0), (5, 7, 2, 2, 0), (5, 6, 3, 2, 1), (5, 5, 3, 1, 1), (3, 3, 3, 3, 0), (7, 4, 3, 3, 1)]:
        for n, c in [(1, 1), (2, 3)]:
            options = {"size": size, "stride": s, "padding": p}
            x = numbers(n, c, h, w)
            case("maxPool2d", lambda x: F.max_pool2d(x, size, s, p), x, layouts="i", to="i", **options)
            case("averagePool2d", lambda x: F.avg_pool2d(x, size, s, p), x, layouts="i", to="i", **options)
    for n, c, h, w in [(1, 1, 1, 1), (2, 3, 5, 2)]:
        x = numbers(n, c, h, w)
        case("globalAveragePool2d", lambda x: x.mean((2, 3)), x, layouts="i")
        for scale in [1, 2, 3]:
            case("upsampleNearest2d", lambda x: F.interpolate(x, scale_factor=scale), x, layouts="i", to="i", scale=scale)
            case("upsampleBilinear2d", lambda x: F.interpolate(x, scale_factor=scale, mode="bilinear"), x, layouts="i",
                 to="i", scale=scale)
    for shape, layout in [((2, 3, 3, 2), "i"), ((1, 1, 3, 3), "i"), ((5, 3), ".")]:
        c = shape[1]
        case("batchNorm2d", lambda x, g, b: F.batch_norm(x, None, None, g, b, True, eps=1e-5), numbers(*shape), positive(c),
             numbers(c), layouts=layout, to=layout)
        mean, variance = torch.arange(c) * 0.25, torch.arange(c) + 0.5
        case("batchNorm2d inference", lambda x, g, b: F.batch_norm(x, mean, variance, g, b, False, eps=1e-5),
             numbers(*shape), positive(c), numbers(c), layouts=layout, to=layout)
    for n, c, h, w, s, before, after in [(1, 1, 1, 1, 1, 0, 0), (2, 3, 5, 4, 2, 1, 2), (1, 2, 7, 5, 3, 0, 3), (1, 2, 2, 3, 1, 2, 0)]:
        case("subsampled2d", lambda x: F.pad(x[:, :, ::s, ::s], (0, 0, 0, 0, before, after)), numbers(n, c, h, w), layouts="i",
             to="i", stride=s, before=before, after=after)


def resizing():
    """By area where an axis shrinks, bilinear where it grows: each axis by itself, as the library has it."""
    def resized(x, height, width):
        for axis, size in ((2, height), (3, width)):
            target = [size if a == axis else x.shape[a] for a in (2, 3)]
            mode = {"mode": "area"} if size < x.shape[axis] else {"mode": "bilinear", "align_corners": False}
            x = F.interpolate(x, target, **mode)
        return x

    for n, c, h, w in [(1, 1, 1, 1), (2, 3, 5, 4), (1, 2, 7, 3)]:
        for height, width in [(h, w), (3, 2), (9, 5), (2, 11), (1, 1)]:
            case("resized2d", lambda x: resized(x, height, width), numbers(n, c, h, w), layouts="i", to="i", height=height,
                 width=width)


def norms():
    for shape, axes in [([2, 3, 4], None), ([2, 3, 4], [1]), ([2, 3, 4], [0, -1]), ([5], [0])]:
        for keep in [False, True]:
            for p in [0, 1, 2, 3, math.inf, -math.inf]:
                # The numbers come with their negatives: equal magnitudes are kinks of the largest and the smallest.
                x = numbers(*shape) if math.isfinite(p) else positive(*shape)
                # An option is a whole number: 100 stands for infinity.
                case("norm", lambda x: torch.linalg.vector_norm(x, p, axes, keep), x, axes=axes, keeping=keep,
                     p=p if math.isfinite(p) else math.copysign(100, p), smooth=p != 0)
    case("norm", lambda x: torch.linalg.vector_norm(x, 2, [1], False), torch.tensor([[0.0, 0, 0], [3, 0, 4]]), axes=[1],
         keeping=0, p=2, smooth=False)
    case("norm", lambda x: torch.linalg.vector_norm(x, 3, [1], False), torch.tensor([[0.0, 0, 0], [3, 0, 4]]), axes=[1],
         keeping=0, p=3, smooth=False)
    for axis in [0, 1, -1]:
        for descending in [0, 1]:
            o = {"axis": axis, "descending": descending}
            case("sort", lambda x: x.sort(axis, bool(descending)).values, numbers(2, 3, 4), **o)
            case("sort indices", lambda x: x.sort(axis, bool(descending)).indices.movedim(axis, -1).reshape(-1) * 1.0,
                 numbers(2, 3, 4), **o)
            case("sort indices", lambda x: x.sort(dim=-1, descending=bool(descending), stable=True).indices.reshape(-1) * 1.0,
                 torch.tensor([[2.0, 1, 2, 1, 5, -1]]), axis=-1, descending=descending, smooth=False)
    for shape in [(3, 5), (2, 3, 4), (1, 2, 2, 3)]:
        c = shape[-1]
        case("layerNorm", lambda x, g, b: F.layer_norm(x, [c], g, b), numbers(*shape), positive(c), numbers(c))
    for shape, groups, layout in [((2, 4, 3, 2), 2, "i"), ((2, 4, 3, 2), 1, "i"), ((1, 3, 2, 3), 3, "i"), ((3, 6), 2, ".")]:
        c = shape[1]
        case("groupNorm", lambda x, g, b: F.group_norm(x, groups, g, b), numbers(*shape), positive(c), numbers(c),
             layouts=layout, to=layout, groups=groups)
    for shape in [(4, 3), (2, 4, 3), (2, 2, 5, 4)]:
        for causal in [0, 1]:
            case("attention", lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=bool(causal)),
                 numbers(*shape), numbers(*shape), numbers(*shape), causal=causal)
    case("attention with a mask", lambda q, k, v, m: F.scaled_dot_product_attention(q, k, v, m), numbers(2, 3, 4),
         numbers(2, 5, 4), numbers(2, 5, 2), numbers(3, 5))


def contractions():
    for equation, *shapes in [
        ("ij,jk->ik", (2, 3), (3, 4)), ("bij,bjk->bik", (2, 3, 4), (2, 4, 2)), ("i,j->ij", (3,), (4,)), ("ij->ji", (2, 3)),
        ("ij->", (2, 3)), ("ij->j", (2, 3)), ("ii->i", (3, 3)), ("ii", (3, 3)), ("iji->j", (3, 2, 3)), ("i,i", (4,), (4,)),
        ("ij,kj->ki", (2, 3), (4, 3)), ("ba,ab", (2, 3), (3, 2)), ("...d,d->...", (2, 3, 4), (4,)),
        ("...ij,...jk->...ik", (2, 1, 3, 2), (4, 2, 3)), ("...i->i...", (2, 3, 4)), ("ij,ij->ij", (2, 3), (2, 3)),
        ("ij,jk,kl->il", (2, 3), (3, 4), (4, 2)), ("bhqd,bhkd->bhqk", (2, 2, 3, 4), (2, 2, 3, 4)), (",ij->ij", (), (2, 3)),
        ("ijk,il->ljk", (2, 3, 2), (2, 2)), ("ij,k->k", (2, 3), (4,)),
    ]:
        case("einsum " + equation, lambda *xs: torch.einsum(equation, *xs), *[numbers(*s) for s in shapes])


def windows():
    for n, c, h, w, o, (kh, kw), s, p, d, g in [
        (1, 2, 5, 6, 3, (1, 3), 1, (0, 1), 1, 1), (2, 3, 6, 5, 2, (3, 1), 2, (2, 0), 1, 1), (1, 4, 7, 6, 4, (2, 5), 1, (1, 2), 2, 2),
    ]:
        case("conv2d margins", lambda x, w, b: F.conv2d(x, w, b, s, p, d, g), numbers(n, c, h, w), numbers(o, c // g, kh, kw),
             numbers(o), layouts="iw.", to="i", stride=s, height=p[0], width=p[1], dilation=d, groups=g)
    for h, w, (kh, kw), d in [(5, 4, (3, 3), 1), (5, 4, (2, 4), 1), (6, 7, (3, 2), 2), (3, 3, (5, 5), 1)]:
        case("conv2d same", lambda x, w, b: F.conv2d(x, w, b, padding="same", dilation=d), numbers(2, 2, h, w),
             numbers(3, 2, kh, kw), numbers(3), layouts="iw.", to="i", dilation=d)
    for h, w, k, s, p in [(5, 4, 3, 1, 1), (7, 6, 5, 2, 2)]:
        case("conv2d reflect", lambda x, w, b: F.conv2d(F.pad(x, (p, p, p, p), "reflect"), w, b, s), numbers(1, 2, h, w),
             numbers(3, 2, k, k), numbers(3), layouts="iw.", to="i", stride=s, padding=p)
    case("reflected", lambda x: F.pad(x, (2, 1, 0, 3), "reflect"), numbers(2, 1, 4, 3), layouts="i", to="i")
    for h, w, size, s, p in [(5, 7, 2, 2, 0), (5, 6, 3, 2, 1), (7, 4, 3, 3, 1), (4, 4, 2, 3, 1), (6, 5, 3, 2, 0)]:
        x, o = numbers(2, 3, h, w), {"size": size, "stride": s, "padding": p}
        case("maxPool2d ceil", lambda x: F.max_pool2d(x, size, s, p, ceil_mode=True), x, layouts="i", to="i", **o)
        case("averagePool2d ceil", lambda x: F.avg_pool2d(x, size, s, p, ceil_mode=True), x, layouts="i", to="i", **o)
    for h, w, height, width in [(5, 7, 2, 3), (4, 4, 4, 4), (3, 5, 1, 1), (2, 3, 5, 4), (6, 4, 3, 2)]:
        x, o = numbers(2, 2, h, w), {"height": height, "width": width}
        case("adaptiveAveragePool2d", lambda x: F.adaptive_avg_pool2d(x, (height, width)), x, layouts="i", to="i", **o)
        # Where parts repeat a pixel PyTorch's maxima are the same, and so are their gradients.
        case("adaptiveMaxPool2d", lambda x: F.adaptive_max_pool2d(x, (height, width)), x, layouts="i", to="i", **o)
        for mode in ["nearest", "bilinear"]:
            case("resized2d " + mode, lambda x: F.interpolate(x, (height, width), mode=mode), x, layouts="i", to="i", **o)


def rows():
    """Rows longer than the lanes of a kernel, and activations by other forms."""
    for shape in [(3, 37), (2, 3, 17)]:
        case("softmax", lambda x: x.softmax(-1), numbers(*shape), axis=-1)
        case("logSoftmax", lambda x: x.log_softmax(-1), numbers(*shape), axis=-1)
        case("layerNorm", lambda x, g, b: F.layer_norm(x, shape[-1:], g, b), numbers(*shape), positive(shape[-1]), numbers(shape[-1]))
    case("gelu by tanh", lambda x: F.gelu(x, approximate="tanh"), numbers(3, 5))
    case("gelu", F.gelu, 2 * numbers(5, 7))
    case("silu", F.silu, 2 * numbers(5, 7))
    for name, f in {"gelu by tanh": lambda x: F.gelu(x, approximate="tanh"), "gelu": F.gelu, "silu": F.silu}.items():
        case(name, f, torch.tensor([-110.5, -30.25, 30.25, 110.5]), smooth=False)
    case("transposed", lambda x: x.transpose(-1, -2), numbers(19, 21))
    case("permuted", lambda x: x.permute(2, 0, 1), numbers(2, 9, 17))


def groups():
    """Depthwise convolutions, groups of few channels, and ReLU6."""
    # channels, height, width, outputs, kernel, stride, padding, dilation, groups
    for c, h, w, o, k, s, p, d, g in [
        (5, 4, 5, 5, 3, 1, 1, 1, 5), (17, 5, 4, 17, 3, 2, 1, 1, 17), (3, 6, 7, 3, 5, 2, 2, 1, 3), (4, 7, 6, 4, 3, 1, 2, 2, 4),
        (2, 5, 5, 2, 7, 3, 3, 1, 2), (3, 4, 4, 6, 3, 1, 1, 1, 3), (8, 4, 3, 8, 3, 1, 1, 1, 2), (6, 5, 5, 9, 3, 2, 0, 1, 3),
        (16, 3, 4, 16, 3, 2, 1, 1, 2),
    ]:
        options = {"stride": s, "padding": p, "dilation": d, "groups": g}
        case("conv2d", lambda x, w, b: F.conv2d(x, w, b, **options), numbers(1, c, h, w), numbers(o, c // g, k, k),
             numbers(o), layouts="iw.", to="i", **options)
        extra = s - 1
        options = {"stride": s, "padding": p, "output_padding": extra, "dilation": d, "groups": g}
        case("convTranspose2d", lambda x, w, b: F.conv_transpose2d(x, w, b, **options), numbers(1, o, (h + 1) // 2 + 1, 3),
             numbers(o, c // g, k, k), numbers(c), layouts="iw.", to="i", **options)
    case("relu6", F.relu6, 4 * numbers(5, 7))
    case("relu6", F.relu6, torch.tensor([-7.0, -0.0, 0.0, 6.0, 6.5, 700.0]), smooth=False)


def columns():
    """An axis before others that fill vectors, and leave columns."""
    for shape, axis in [((2, 5, 18), 1), ((4, 3, 7), 0), ((1, 3, 70), 1)]:
        case("softmax", lambda x: x.softmax(axis), numbers(*shape), axis=axis)


def broadcasting():
    """Pairs of shapes and what NumPy broadcasts them to, null where it does not."""
    shapes = [[], [1], [2], [3], [1, 1], [2, 1], [1, 3], [2, 3], [3, 2], [0], [1, 0], [2, 0], [4, 2, 3], [4, 1, 1], [1, 2, 1]]

    def common(a, b):
        try:
            return list(numpy.broadcast_shapes(tuple(a), tuple(b)))
        except ValueError:
            return None

    return [{"a": a, "b": b, "common": common(a, b)} for a in shapes for b in shapes]


for write in (elementwise, binary, reductions, movement, products, images, resizing, norms,
              contractions, windows, rows, groups, columns):
    cases.clear()
    write()
    (OUT / f"{write.__name__}.json").write_text("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]\n")
(OUT / "broadcasting.json").write_text(json.dumps(broadcasting(), separators=(",", ":")) + "\n")
