#!/usr/bin/env python3
"""Measures EncodeNet's benchmarks and the same work in PyTorch, torchvision and ONNX Runtime, taking turns in one run.

Each contender is a process of its own that waits for its turn; a turn is some repetitions of one case. Every form of the
peer that may be its best takes part: NCHW and channels-last, eager, compiled and frozen, the system's allocator and
tcmalloc. A ratio is the best form's median divided by ours, both over all rounds.

Images are read by torchvision's transforms on Pillow, and on Pillow-SIMD in another Python: torchvision's own decoder of JPEGs is
built for other versions of PyTorch than those for the CPU alone, beside which it does not load.

    peers.py --ours PATH-OF-BENCHMARKS [--filter REGEX] [--rounds N] [--json FILE] [--markdown FILE] [--pillow-simd PYTHON]
"""

import argparse
import datetime
import glob
import json
import os
import platform
import re
import resource
import statistics
import subprocess
import sys
import time
import warnings

THREADS = int(os.environ.get("THREADS", 0)) or os.cpu_count()


# The peers' side: what a case is in PyTorch and ONNX Runtime.


def torch_models():
    """The library's models, layer by layer."""
    import torch
    from torch import nn
    from torch.nn import functional as F

    def vgg16_features():
        layers, channels = [], 3
        for width, depth in [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)]:
            for _ in range(depth):
                layers += [nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
                channels = width
            layers.append(nn.MaxPool2d(2))
        return nn.Sequential(*layers)

    def vgg16():
        return nn.Sequential(vgg16_features(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10))

    def gcae():
        decoder, channels = [nn.Flatten(), nn.Linear(512, 512), nn.Unflatten(1, (512, 1, 1))], 512
        for _ in range(5):
            half = channels // 2
            decoder += [
                nn.ConvTranspose2d(channels, half, 3, stride=2, padding=1, output_padding=1, bias=False),
                nn.BatchNorm2d(half),
                nn.ReLU(inplace=True),
            ]
            channels = half
        return nn.Sequential(vgg16_features(), *decoder, nn.Conv2d(channels, 3, 3, padding=1), nn.Sigmoid())

    class Block(nn.Module):
        def __init__(self, inputs, outputs, stride):
            super().__init__()
            self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(outputs)
            self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(outputs)
            self.stride, self.pad = stride, (outputs - inputs) // 2

        def forward(self, x):
            y = F.relu(self.bn1(self.conv1(x)), inplace=True)
            y = self.bn2(self.conv2(y))
            if self.stride > 1:
                x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.pad, self.pad))
            return F.relu(y + x, inplace=True)

    def resnet20():
        layers, channels = [nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(inplace=True)], 16
        for width, first in [(16, 1), (32, 2), (64, 2)]:
            for stride in (first, 1, 1):
                layers.append(Block(channels, width, stride))
                channels = width
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))

    class InvertedResidual(nn.Module):
        def __init__(self, inputs, outputs, expansion, stride):
            super().__init__()
            hidden, layers = inputs * expansion, []
            if expansion > 1:
                layers = [nn.Conv2d(inputs, hidden, 1, bias=False), nn.BatchNorm2d(hidden), nn.ReLU6(inplace=True)]
            layers += [
                nn.Conv2d(hidden, hidden, 3, stride, 1, groups=hidden, bias=False), nn.BatchNorm2d(hidden),
                nn.ReLU6(inplace=True), nn.Conv2d(hidden, outputs, 1, bias=False), nn.BatchNorm2d(outputs),
            ]
            self.conv, self.adds = nn.Sequential(*layers), stride == 1 and inputs == outputs

        def forward(self, x):
            return x + self.conv(x) if self.adds else self.conv(x)

    def mobilenetv2():
        # The first stride is 1, as ours for images of 96 by 96.
        layers, channels = [nn.Conv2d(3, 32, 3, 1, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU6(inplace=True)], 32
        for t, c, n, s in [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]:
            for block in range(n):
                layers.append(InvertedResidual(channels, c, t, s if block == 0 else 1))
                channels = c
        layers += [nn.Conv2d(channels, 1280, 1, bias=False), nn.BatchNorm2d(1280), nn.ReLU6(inplace=True)]
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(1280, 10))

    def resnet18():
        return torchvision().models.resnet18(num_classes=10)

    def resnet50():
        return torchvision().models.resnet50(num_classes=10)

    return {made.__name__: made for made in [vgg16, resnet20, gcae, mobilenetv2, resnet18, resnet50]}


def images_for(w, form):
    import torch

    return torch.rand(w["batch"], 3, w["side"], w["side"]).contiguous(memory_format=form)


def torchvision():
    """torchvision, which imports beside a torch without its operators once they are declared."""
    import torch

    if "torchvision" not in sys.modules:
        operators = torch.library.Library("torchvision", "DEF")
        operators.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        operators.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        declared.append(operators)
    import torchvision as library

    return library


def torch_work(work, variant):
    """A function that does `work` once, as `variant` has it."""
    import torch
    import torch._inductor.config
    from torch.nn import functional as F

    torch.manual_seed(0)
    kind, w = next(iter(work.items()))
    form = torch.channels_last if "channels-last" in variant else torch.contiguous_format
    is_compiled = "compiled" in variant
    if kind == "matrixProduct":
        a, b = torch.randn(w["m"], w["k"]), torch.randn(w["k"], w["n"])
        y = torch.empty(w["m"], w["n"])
        return lambda: torch.mm(a, b, out=y)
    if kind == "convolution":
        layer, direction = w["layer"], w["pass"]
        kernel, stride, is_transposed = layer["kernel"], layer["stride"], layer["isTransposed"]
        channels = (layer["inputs"], layer["outputs"]) if is_transposed else (layer["outputs"], layer["inputs"])
        x = torch.randn(layer["images"], layer["inputs"], layer["side"], layer["side"]).contiguous(memory_format=form)
        weight = torch.randn(*channels, kernel, kernel).contiguous(memory_format=form)
        padding, extra = [kernel // 2] * 2, [stride - 1 if is_transposed else 0] * 2
        settings = ([stride] * 2, padding, [1, 1], is_transposed, extra, 1)
        forward, backward = torch.ops.aten.convolution, torch.ops.aten.convolution_backward
        dy = torch.randn_like(forward(x, weight, None, *settings))
        if direction == "forward":
            return lambda: forward(x, weight, None, *settings)
        mask = [direction == "backward-data", direction == "backward-weights", False]
        return lambda: backward(dy, x, weight, None, *settings, mask)
    if kind == "batchNorm":
        shape = (128, w["channels"], w["side"], w["side"])
        x, residual = (torch.randn(shape).contiguous(memory_format=form) for _ in range(2))
        mean, variance = torch.zeros(w["channels"]), torch.ones(w["channels"])
        gamma, beta = torch.ones(w["channels"]), torch.zeros(w["channels"])

        def norm(x, residual, gamma, beta):
            y = F.batch_norm(x, mean, variance, gamma, beta, training=True)
            return F.relu(y + residual if w["addsResidual"] else y, inplace=True)

        if is_compiled:
            norm = torch.compile(norm)
        if not w["isBackward"]:
            return lambda: norm(x, residual, gamma, beta)
        inputs = [t.requires_grad_() for t in ([x, gamma, beta] + ([residual] if w["addsResidual"] else []))]
        y = norm(x, residual, gamma, beta)
        dy = torch.randn_like(y)
        return lambda: torch.autograd.grad(y, inputs, dy, retain_graph=True)
    if kind == "training":
        model = torch_models()[w["model"]]().train().to(memory_format=form)
        images = images_for(w, form)
        labels = torch.arange(w["batch"]) % 10
        if w["model"] == "gcae":
            optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
            loss = lambda y: F.mse_loss(y, images)
        else:
            optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4, fused=True)
            loss = lambda y: F.cross_entropy(y, labels)
        torch._inductor.config.freezing = False
        called = torch.compile(model) if is_compiled else model

        def step():
            optimizer.zero_grad(set_to_none=True)
            loss(called(images)).backward()
            optimizer.step()

        return step
    if kind == "operation":
        return torch_operation(w["_0"], form)
    if kind == "inference":
        model = torch_models()[w["model"]]().eval().to(memory_format=form)
        images = images_for(w, form)
        if variant.startswith("onnxruntime"):
            return onnx_work(model, images)
        # Read when the first call compiles.
        torch._inductor.config.freezing = True
        called = torch.compile(model) if "frozen" in variant else model

        def infer():
            with torch.no_grad():
                called(images)

        return infer
    if kind == "images":
        return image_work(w, variant)
    return None


def image_work(w, variant):
    """From JPEGs to batches for training, by torchvision."""
    import torch

    torchvision()
    from torchvision import datasets, transforms

    side, (chain, workers, _) = w["side"], variant.split(maxsplit=2)
    steps = [transforms.Resize(side), transforms.CenterCrop(side)] if chain == "resize,crop" else []
    steps += [
        transforms.RandomResizedCrop(side), transforms.RandomHorizontalFlip(), transforms.ToTensor(),
        transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
    ]
    images = datasets.ImageFolder(w["folder"], transforms.Compose(steps))
    images = torch.utils.data.Subset(images, range(w["count"]))
    loader = torch.utils.data.DataLoader(
        images, batch_size=64, shuffle=True, num_workers=int(workers), persistent_workers=workers != "0")

    def epoch():
        assert sum(len(labels) for _, labels in loader) == w["count"]

    return epoch


declared = []


def torch_operations():
    """The operations of Benchmarks/Sources/Benchmarks/OperationFunctions.swift, by their names there: makers of functions, for inputs as
    those given. What PyTorch gives as a view is copied, as this library's result is memory of its own."""
    import torch
    from torch.nn import functional as F

    def like(x, y):
        """`y` in memory of the layout of `x`."""
        last = x.dim() == 4 and x.is_contiguous(memory_format=torch.channels_last)
        return y.contiguous(memory_format=torch.channels_last if last else torch.contiguous_format)

    def indices(count, extent):
        return torch.arange(count) * 7919 % extent

    def positive(x):
        x = x.detach()
        return x @ x.T + torch.eye(len(x))

    plain = {
        "abs": torch.abs, "ceil": torch.ceil, "floor": torch.floor, "round": torch.round, "sign": torch.sign, "negate": torch.neg,
        "exp": torch.exp, "expm1": torch.expm1, "log": torch.log, "log1p": torch.log1p, "sqrt": torch.sqrt, "rsqrt": torch.rsqrt,
        "square": torch.square, "sin": torch.sin, "cos": torch.cos, "tan": torch.tan, "tanh": torch.tanh,
        "sigmoid": torch.sigmoid, "erf": torch.erf, "relu": torch.relu, "leakyReLU": F.leaky_relu, "elu": F.elu, "gelu": F.gelu,
        "relu6": F.relu6,
        "gelu-tanh": lambda x: F.gelu(x, approximate="tanh"), "silu": F.silu, "softplus": F.softplus,
        "pow": lambda x: torch.pow(x, 1.7), "clamped": lambda x: x.clamp(-1, 1), "isNaN": torch.isnan,
        "add-number": lambda x: x + 1.5, "multiply-number": lambda x: x * 1.5, "divide-number": lambda x: 1.5 / x,
        "greater-number": lambda x: x > 0.5,
        "add": torch.add, "subtract": torch.sub, "multiply": torch.mul, "divide": torch.div, "pow-pair": torch.pow,
        "maximum": torch.maximum, "minimum": torch.minimum, "equal": torch.eq, "not-equal": torch.ne, "less": torch.lt,
        "less-equal": torch.le, "greater": torch.gt, "greater-equal": torch.ge,
        "isApproximatelyEqual": lambda x: torch.allclose(x, x),
        "sum-all": torch.sum, "sum-rows": lambda x: x.sum(1), "sum-columns": lambda x: x.sum(0),
        "sum-pixels": lambda x: x.sum((2, 3)), "sum-but-channels": lambda x: x.sum((0, 2, 3)),
        "mean-all": torch.mean, "mean-rows": lambda x: x.mean(1), "mean-pixels": lambda x: x.mean((2, 3)),
        "max-all": torch.max, "max-rows": lambda x: x.amax(1), "max-columns": lambda x: x.amax(0), "min-rows": lambda x: x.amin(1),
        "product-rows": lambda x: x.prod(1), "variance-rows": lambda x: x.var(1, correction=0),
        "variance-columns": lambda x: x.var(0, correction=0), "norm-all": torch.linalg.vector_norm,
        "norm-rows": lambda x: torch.linalg.vector_norm(x, dim=1), "logSumExp-rows": lambda x: x.logsumexp(1),
        "any-rows": lambda x: x.any(1), "all-rows": lambda x: x.all(1), "any": torch.any, "all": torch.all,
        "argmax-rows": lambda x: x.argmax(1), "argmin-rows": lambda x: x.argmin(1), "argmax-columns": lambda x: x.argmax(0),
        "cumulativeSum-rows": lambda x: x.cumsum(1), "cumulativeSum-columns": lambda x: x.cumsum(0),
        "sort-rows": lambda x: x.sort(1).values, "topK-rows": lambda x: x.topk(5).values,
        "transposed": lambda x: x.t().contiguous(), "nchw-to-nhwc": lambda x: x.permute(0, 2, 3, 1).contiguous(),
        "nhwc-to-nchw": lambda x: x.permute(0, 3, 1, 2).contiguous(), "swap-middle": lambda x: x.transpose(1, 2).contiguous(),
        "concatenated-channels": lambda x, y: torch.cat([x, y], 1), "concatenated-rows": lambda x, y: torch.cat([x, y]),
        "stacked": lambda x, y: torch.stack([x, y], 1), "split-channels": lambda x: like(x, x.split([16, 48], 1)[1]),
        "sliced-rows": lambda x: x[100:900], "sliced-columns": lambda x: x[:, 100:900].contiguous(),
        "sliced-box": lambda x: like(x, x[:, :, 4:52, 4:52]), "index": lambda x: x[3], "range": lambda x: x[100:900],
        "padded": lambda x: F.pad(x, (1, 1, 1, 1)), "reflected": lambda x: F.pad(x, (2, 2, 2, 2), mode="reflect"),
        "flipped": lambda x: x.flip(3), "broadcast": lambda x: x.expand(4096, 1000).contiguous(),
        "subsampled2d": lambda x: like(x, x[:, :, ::2, ::2]),
        "matmul": torch.matmul, "matmul-transposeA": lambda x, y: x.mT @ y, "matmul-transposeB": lambda x, y: x @ y.mT,
        "einsum": lambda x, y: torch.einsum("bqhd,bkhd->bhqk", x, y), "qr": lambda x: torch.linalg.qr(x).R,
        "solve": torch.linalg.solve, "svd": lambda x: torch.linalg.svd(x, full_matrices=False).S,
        "attention": F.scaled_dot_product_attention,
        "attention-causal": lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True),
        "conv2d": lambda x, w: F.conv2d(x, w, padding=w.shape[2] // 2),
        "conv2d-stride2": lambda x, w: F.conv2d(x, w, stride=2, padding=w.shape[2] // 2),
        "conv2d-dilation2": lambda x, w: F.conv2d(x, w, padding=w.shape[2] // 2 * 2, dilation=2),
        "conv2d-groups": lambda x, w: F.conv2d(x, w, padding=w.shape[2] // 2, groups=x.shape[1] // w.shape[1]),
        "conv2d-groups-stride2": lambda x, w: F.conv2d(x, w, stride=2, padding=w.shape[2] // 2, groups=x.shape[1] // w.shape[1]),
        "convTranspose2d": lambda x, w: F.conv_transpose2d(x, w, stride=2, padding=w.shape[2] // 2 - 1),
        "maxPool2d": lambda x: F.max_pool2d(x, 2), "maxPool2d-3-stride2": lambda x: F.max_pool2d(x, 3, 2, 1),
        "averagePool2d": lambda x: F.avg_pool2d(x, 2), "globalAveragePool2d": lambda x: x.mean((2, 3)),
        "adaptiveAveragePool2d": lambda x: F.adaptive_avg_pool2d(x, 7),
        "adaptiveMaxPool2d": lambda x: F.adaptive_max_pool2d(x, 7),
        "batchNorm2d": lambda x, g, b: F.batch_norm(x, None, None, g, b, training=True),
        "groupNorm": lambda x, g, b: F.group_norm(x, 32, g, b),
        "resized-bilinear": lambda x: F.interpolate(x, size=(64, 64), mode="bilinear"),
        "resized-nearest": lambda x: F.interpolate(x, size=(64, 64), mode="nearest"),
        "upsampleNearest2d": lambda x: F.interpolate(x, scale_factor=2, mode="nearest"),
        "upsampleBilinear2d": lambda x: F.interpolate(x, scale_factor=2, mode="bilinear"),
        "softmax": lambda x: F.softmax(x, -1), "softmax-columns": lambda x: F.softmax(x, 1),
        "logSoftmax": lambda x: F.log_softmax(x, -1), "meanSquaredError": F.mse_loss, "meanAbsoluteError": F.l1_loss,
        "huber": F.huber_loss, "layerNorm": lambda x, g, b: F.layer_norm(x, g.shape, g, b), "dropout": lambda x: F.dropout(x, 0.5),
        "zeros": lambda x: torch.zeros(x.shape), "repeating": lambda x: torch.full(x.shape, 1.5),
        "arange": lambda x: torch.arange(x.numel(), dtype=torch.float32), "eye": lambda x: torch.eye(len(x)),
        "normal": lambda x: torch.randn(x.shape), "uniform": lambda x: torch.rand(x.shape),
        "bernoulli": lambda x: torch.empty(x.shape).bernoulli_(0.3),
    }
    makers = {name: (lambda function: lambda *inputs: function)(function) for name, function in plain.items()}

    def made(name):
        def keep(maker):
            makers[name] = maker

        return keep

    @made("where")
    def where(x, y):
        mask = x.detach() > 0
        return lambda x, y: torch.where(mask, x, y)

    @made("gather-rows")
    def gather_rows(x):
        places = indices(4096, x.shape[0])
        return lambda x: x.index_select(0, places)

    @made("gather-columns")
    def gather_columns(x):
        places = indices(256, x.shape[1])
        return lambda x: x.index_select(1, places)

    @made("scatterAdded")
    def scatter_added(x):
        places = indices(x.shape[0], 50_000)
        return lambda x: torch.zeros(50_000, x.shape[1]).index_add(0, places, x)

    @made("cholesky")
    def cholesky(x):
        matrix = positive(x)
        return lambda x: torch.linalg.cholesky(matrix)

    @made("symmetricEigen")
    def symmetric_eigen(x):
        matrix = x + x.T
        return lambda x: torch.linalg.eigh(matrix).eigenvalues

    @made("batchNorm2d-inference")
    def batch_norm_inference(x, gamma, beta):
        mean, variance = torch.zeros_like(gamma), torch.ones_like(gamma)
        return lambda x, g, b: F.batch_norm(x, mean, variance, g, b)

    @made("softmaxCrossEntropy")
    def cross_entropy(x):
        labels = torch.arange(x.shape[0]) % x.shape[1]
        return lambda x: F.cross_entropy(x, labels)

    @made("softmaxCrossEntropy-targets")
    def cross_entropy_of_targets(x):
        targets = F.softmax(x.detach() * 2, -1)
        return lambda x: F.cross_entropy(x, targets)

    @made("klDivergence")
    def kl_divergence(x):
        targets = F.softmax(x.detach() * 2, -1)
        return lambda x: F.kl_div(F.log_softmax(x, -1), targets, reduction="batchmean")

    @made("binaryCrossEntropyWithLogits")
    def binary_cross_entropy(x):
        targets = (x.detach() > 0).float()
        return lambda x: F.binary_cross_entropy_with_logits(x, targets)

    @made("oneHot")
    def one_hot(x):
        labels = torch.arange(x.shape[0]) % x.shape[1]
        return lambda x: F.one_hot(labels, x.shape[1]).float()

    return makers


# Those of images, whose channels lie where the variant says: the last axis of our shapes is the second of the peer's.
IMAGE_OPERATIONS = {
    "sum-pixels", "sum-but-channels", "mean-pixels", "concatenated-channels", "split-channels", "sliced-box", "padded", "reflected",
    "flipped", "subsampled2d", "conv2d", "conv2d-stride2", "conv2d-dilation2", "conv2d-groups", "conv2d-groups-stride2",
    "convTranspose2d", "maxPool2d", "maxPool2d-3-stride2", "averagePool2d", "globalAveragePool2d", "adaptiveAveragePool2d",
    "adaptiveMaxPool2d", "batchNorm2d", "batchNorm2d-inference", "groupNorm", "resized-bilinear", "resized-nearest",
    "upsampleNearest2d", "upsampleBilinear2d",
}


def torch_operation(w, form):
    import torch

    def made(place, shape):
        x = torch.rand(shape) * 3.9 + 0.1 if w["isPositive"] else torch.randn(shape)
        if w["name"] in IMAGE_OPERATIONS and len(shape) == 4:
            is_weight = place == 1 and w["name"].startswith("conv")
            x = x.permute(3, 2, 0, 1) if is_weight else x.permute(0, 3, 1, 2)
            x = x.contiguous(memory_format=form)
        return x

    inputs = [made(place, shape) for place, shape in enumerate(w["shapes"])]
    function = torch_operations()[w["name"]](*inputs)
    if not w["isBackward"]:

        def forward():
            with torch.no_grad():
                function(*inputs)

        return forward
    inputs = [x.requires_grad_() for x in inputs]
    upstream = torch.randn_like(function(*inputs))

    def both():
        # Gradients as a program gets them: of their own memory.
        for x in inputs:
            x.grad = None
        function(*inputs).backward(upstream)

    return both


def onnx_work(model, images):
    import io

    import torch

    import onnxruntime

    file = io.BytesIO()
    torch.onnx.export(model, images, file, dynamo=False, input_names=["x"])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    session = onnxruntime.InferenceSession(file.getvalue(), options, providers=["CPUExecutionProvider"])
    x = images.numpy()
    return lambda: session.run(None, {"x": x})


def variants(work):
    """The forms of the peer that may be the best for `work`."""
    kind, w = next(iter(work.items()))
    layouts = ["NCHW", "channels-last"]
    if kind == "matrixProduct":
        return ["eager"]
    if kind == "operation":
        return [f"{layout} eager" for layout in layouts] if w["_0"]["name"] in IMAGE_OPERATIONS else ["eager"]
    if kind == "convolution":
        return [f"{layout} eager" for layout in layouts]
    if kind in ("batchNorm", "training"):
        return [f"{layout} {mode}" for layout in layouts for mode in ("eager", "compiled")]
    if kind == "inference":
        return [f"{layout} {mode}" for layout in layouts for mode in ("eager", "frozen")] + ["onnxruntime"]
    if kind == "images":
        return [f"{chain} {workers} workers" for chain in ("crop", "resize,crop") for workers in range(5)]
    return []


def peer_process():
    """Answers each line of JSON with the milliseconds of each repetition."""
    warnings.filterwarnings("ignore")
    import torch

    torch.set_num_threads(THREADS)
    prepared = {}
    for line in sys.stdin:
        request = json.loads(line)
        key = (request["name"], request["variant"])
        try:
            if key not in prepared:
                # Only one case at a time is kept, in all its forms, but for those that have processes of their own.
                if "images" in request["work"] or any(name != request["name"] for name, _ in prepared):
                    prepared = {}
                    torch._dynamo.reset()
                prepared[key] = torch_work(request["work"], request["variant"])
            for _ in range(request["warm-ups"]):
                prepared[key]()
            times = []
            for _ in range(request["repetitions"]):
                begin = time.perf_counter()
                prepared[key]()
                times.append((time.perf_counter() - begin) * 1e3)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            answer = {"milliseconds": times, "peak": peak}
        except Exception as error:  # a form that the peer does not have
            answer = {"error": f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"}
        print(json.dumps(answer), file=answers, flush=True)


# The side that has them take turns.


class Ours:
    name = "EncodeNet"

    def __init__(self, path):
        self.process = subprocess.Popen(
            [path, "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.cases = json.loads(self.process.stdout.readline())["cases"]

    def measure(self, case, repetitions, threads=THREADS):
        self.process.stdin.write(f"{threads} {warm_ups(repetitions)} {repetitions} {case['name']}\n")
        self.process.stdin.flush()
        return [float(word) for word in self.process.stdout.readline().split()]

    @property
    def peak(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return int(re.search(r"VmHWM:\s*(\d+)", status.read())[1]) / 1024


class Peer:
    def __init__(self, allocator, preload, python=sys.executable):
        self.allocator = allocator
        self.python = python
        self.environment = dict(os.environ, OMP_NUM_THREADS=str(THREADS), MKL_NUM_THREADS=str(THREADS))
        if preload:
            self.environment["LD_PRELOAD"] = preload
            self.environment["TCMALLOC_MAX_TOTAL_THREAD_CACHE_BYTES"] = str(1 << 30)
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [self.python, os.path.abspath(__file__), "--peer"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=self.environment,
        )

    def measure(self, case, variant, repetitions):
        request = dict(case, variant=variant, repetitions=repetitions)
        request["warm-ups"] = warm_ups(repetitions)
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if answer:
            return json.loads(answer)
        # Some compiled forms end the process.
        status = self.process.wait()
        self.start()
        return {"error": f"the process ended with status {status}"}


def warm_ups(repetitions):
    """What each turn begins with uncounted: caches and workers have served others in between."""
    return 1 + repetitions // 4


def repetitions_for(milliseconds, seconds):
    return max(1, min(500, int(seconds * 1e3 / max(milliseconds, 1e-3))))


def compare(case, ours, peers, rounds):
    """The case's medians over rounds in which ours has a turn right before each form of the peer.

    A machine's pace changes from minute to minute, so only neighbours are compared. None where every form of the peer fails.
    """
    kind = next(iter(case["work"]))
    own = ours.measure(case, 2)[-1]
    forms = {}
    for peer in peers:
        for variant in variants(case["work"]):
            answer = peer.measure(case, variant, 1 if kind == "images" else 3)
            if "error" in answer:
                print(f"    {variant}, {peer.allocator}: {answer['error']}", file=sys.stderr)
            else:
                forms[(peer, variant)] = answer["milliseconds"][-1]
    # A form that is far behind is not measured again.
    limit = 1.3 * min(forms.values(), default=0)
    pairs = {form: [] for form, first in forms.items() if first <= limit}
    # Long enough for several steps of a whole model.
    seconds = 1.0 if kind in ("training", "inference") else 0.15
    for _ in range(rounds):
        for (peer, variant), taken in pairs.items():
            mine = ours.measure(case, repetitions_for(own, seconds))
            answer = peer.measure(case, variant, repetitions_for(forms[(peer, variant)], seconds))
            if "error" in answer:
                print(f"    {variant}, {peer.allocator}: {answer['error']}", file=sys.stderr)
            else:
                taken.append((statistics.median(mine), statistics.median(answer["milliseconds"])))

    pairs = {form: taken for form, taken in pairs.items() if taken}
    if not pairs:
        return None
    medians = {form: [statistics.median(times) for times in zip(*taken)] for form, taken in pairs.items()}
    # The peer's best form is the one that comes nearest to ours.
    peer, variant = min(medians, key=lambda form: medians[form][1] / medians[form][0])
    ours_ms, peer_ms = medians[(peer, variant)]
    taken = pairs[(peer, variant)]
    ratios = sorted(theirs / mine for mine, theirs in taken)
    return {
        "name": case["name"], "ours_ms": round(ours_ms, 4), "peer_ms": round(peer_ms, 4),
        "ratio": round(peer_ms / ours_ms, 3), "ratio_low": round(ratios[0], 3), "ratio_high": round(ratios[-1], 3),
        "peer": variant if variant == "onnxruntime" else f"{'torchvision' if kind == 'images' else 'PyTorch'}, {variant}, {peer.allocator}",
    }


def peak_memory(case, path, allocators):
    """The memory of a process that does nothing but three steps, in MiB."""
    ours = Ours(path)
    ours.measure(case, 3)
    own, best = ours.peak, None
    ours.process.kill()
    for allocator, preload in allocators:
        for variant in ("NCHW eager", "channels-last eager"):
            peer = Peer(allocator, preload)
            peak = peer.measure(case, variant, 3)["peak"]
            peer.process.kill()
            if best is None or peak < best[0]:
                best = (peak, f"PyTorch, {variant}, {allocator}")
    return {
        "name": f"{case['name']}-peak-memory", "ours_mib": round(own), "peer_mib": round(best[0]),
        "share": round(own / best[0], 3), "peer": best[1],
    }


def second_core(case, ours, rounds):
    """How much faster all threads are than one."""
    pairs = []
    ours.measure(case, 2)
    for _ in range(rounds):
        pairs.append([statistics.median(ours.measure(case, 4, threads)) for threads in (1, THREADS)])
    one, all_threads = (statistics.median(times) for times in zip(*pairs))
    return {"name": f"{case['name']}-threads", "threads": THREADS, "speedup": round(one / all_threads, 3)}


def pipeline(epoch, step, ours, rounds):
    """What augmentation and batching cost an epoch beside its bare steps."""
    pairs = []
    for _ in range(rounds):
        pairs.append([ours.measure(epoch, 1)[0] / 10, statistics.median(ours.measure(step, 10))])
    shares = sorted(1 - bare / whole for whole, bare in pairs)
    return {"name": f"{epoch['name']}-pipeline", "share_of_epoch": round(statistics.median(shares), 4)}


def processor():
    with open("/proc/cpuinfo") as file:
        name = re.search(r"model name\s*:\s*(.*)", file.read())
    limit = os.environ.get("INSTRUCTIONS")
    return (name[1] if name else platform.machine()) + (f", kept to {limit.upper()}" if limit else "")


def milliseconds(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def markdown(result):
    limited = " ONNX Runtime has no setting for AVX2, and uses all that the processor has." if os.environ.get("INSTRUCTIONS") else ""
    lines = [
        f"{result['threads']} threads of {result['processor']}, {result['date']}, PyTorch {result['torch']}, "
        f"ONNX Runtime {result['onnxruntime']}; medians of {result['rounds']} rounds.{limited}",
        "",
        "| work | ours, ms | peer, ms | ratio | lowest and highest of the rounds | peer's best form |",
        "|---|---:|---:|---:|---|---|",
    ]
    for row in result["cases"]:
        lines.append(
            f"| {row['name']} | {milliseconds(row['ours_ms'])} | {milliseconds(row['peer_ms'])} | **{row['ratio']:.2f}** "
            f"| {row['ratio_low']:.2f}–{row['ratio_high']:.2f} | {row['peer']} |"
        )
    products = [row["ratio"] for row in result["cases"] if row["name"].startswith("gemm")]
    if products:
        lines += ["", f"Matrix products: geometric mean {statistics.geometric_mean(products):.2f}."]
    swept = sorted((row for row in result["cases"] if row["name"].startswith("operations ")), key=lambda row: row["ratio"])
    if swept:
        below = sum(row["ratio"] < 0.95 for row in swept)
        lines += ["", f"{len(swept)} cases of single operations: geometric mean {statistics.geometric_mean(row['ratio'] for row in swept):.2f}, "
                  f"{below} below 0.95. The lowest: " + ", ".join(f"{row['name'].removeprefix('operations ')} {row['ratio']:.2f}" for row in swept[:10]) + "."]
    if result["memory"]:
        lines += ["", "| peak memory of three steps | ours, MiB | peer, MiB | share |", "|---|---:|---:|---:|"]
        lines += [f"| {m['name']} | {m['ours_mib']} | {m['peer_mib']} | {m['share']:.2f} |" for m in result["memory"]]
    lines += [""] + [
        f"- {row['name']}: {row['speedup']:.2f} × on {row['threads']} threads" for row in result["threading"]
    ]
    lines += [f"- {row['name']}: {100 * row['share_of_epoch']:.1f} % of an epoch" for row in result["pipeline"]]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours", required=True, help="the built Benchmarks program")
    parser.add_argument("--filter", default="", help="a regular expression that names must contain")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", default="peers.json")
    parser.add_argument("--markdown")
    parser.add_argument("--pillow-simd", help="a Python that has Pillow-SIMD in place of Pillow, and torchvision")
    settings = parser.parse_args()

    import onnxruntime
    import torch

    allocators = [("system's allocator", None)]
    found = glob.glob("/usr/lib/*/libtcmalloc_minimal.so.4")
    if found:
        allocators.append(("tcmalloc", found[0]))
    ours = Ours(settings.ours)
    peers = [Peer(*allocator) for allocator in allocators]
    wanted = [case for case in ours.cases if re.search(settings.filter, case["name"])]
    by_name = {case["name"]: case for case in ours.cases}
    # Of what reads images the allocator is the system's, and Pillow may be another.
    readers = [Peer("Pillow", None)] + ([Peer("Pillow-SIMD", None, settings.pillow_simd)] if settings.pillow_simd else [])
    result = {
        "date": datetime.date.today().isoformat(), "processor": processor(), "threads": THREADS,
        "torch": torch.__version__, "onnxruntime": onnxruntime.__version__, "rounds": settings.rounds,
        "cases": [], "memory": [], "threading": [], "pipeline": [],
    }
    for case in wanted:
        if not variants(case["work"]):
            continue
        row = compare(case, ours, readers if "images" in case["work"] else peers, settings.rounds)
        if row is None:
            print(f"{case['name']}: no form of the peer works", file=sys.stderr)
            continue
        result["cases"].append(row)
        print(f"{row['name']:50} {row['ours_ms']:10.3f} {row['peer_ms']:10.3f} {row['ratio']:6.2f}  {row['peer']}", flush=True)
    for case in wanted:
        kind, work = next(iter(case["work"].items()))
        if kind == "training":
            result["memory"].append(peak_memory(case, settings.ours, allocators))
            result["threading"].append(second_core(case, ours, settings.rounds))
            print(result["memory"][-1], result["threading"][-1], flush=True)
        if kind == "epoch":
            step = by_name[f"{work['model']}-train"]
            result["pipeline"].append(pipeline(case, step, ours, settings.rounds))
            print(result["pipeline"][-1], flush=True)
    with open(settings.json, "w") as file:
        json.dump(result, file, indent=1)
    if settings.markdown:
        with open(settings.markdown, "w") as file:
            file.write(markdown(result))


if __name__ == "__main__":
    if sys.argv[1:] == ["--peer"]:
        # What libraries print must not come between the answers.
        answers = os.fdopen(os.dup(1), "w")
        os.dup2(2, 1)
        peer_process()
    else:
        main()
