#!/usr/bin/env python3
"""Writes what PyTorch makes of layers, losses, optimizers, schedules and models, for Tests/LayersTests.

Usage: python3 Scripts/fixtures_layers.py        (needs torch; only to regenerate the fixtures)

Everything is in the library's layouts: images NHWC, weights of both kinds of convolution with their axes permuted from
OIHW to HWIO. Weights of whole models are not written but made by the same formula on both sides.
"""
import json
import math
import pathlib

import torch
from torch import nn
from torch.nn import functional as F

OUT = pathlib.Path(__file__).resolve().parent.parent / "Tests/LayersTests/Fixtures"
torch.manual_seed(7)
torch.set_default_dtype(torch.float64)


def pack(t, image=True):
    """A tensor as JSON; rank 4 from NCHW (images) or OIHW (weights) to the library's layout."""
    if t.dim() == 4:
        t = t.permute(0, 2, 3, 1) if image else t.permute(2, 3, 1, 0)
    return {"shape": list(t.shape), "data": [float(f"{v:.8g}") for v in t.detach().reshape(-1).tolist()]}


def state(module):
    return {k: pack(v, image=False) for k, v in module.state_dict().items() if "num_batches" not in k}


def write(name, value):
    (OUT / f"{name}.json").write_text(json.dumps(value, separators=(",", ":")) + "\n")


def layer_cases():
    """A list of cases, and what adds one."""
    cases = []

    def case(name, module, *shape, training=True, prepare=None, x=None):
        module.train(training)
        if prepare:
            prepare(module)
        before = state(module)
        x = (torch.randn(*shape) if x is None else x).requires_grad_()
        y = module(x)
        upstream = torch.randn_like(y)
        ((y * upstream).sum() + 0 * x.sum()).backward()
        cases.append({
            "name": name, "training": training, "state": before, "input": pack(x), "output": pack(y),
            "upstream": pack(upstream), "inputGradient": pack(x.grad),
            "gradients": {k: pack(p.grad, image=False) for k, p in module.named_parameters()},
            "stateAfter": state(module),
        })

    return cases, case


def layers():
    cases, case = layer_cases()

    def shaken(m):
        for t in list(m.parameters()) + [b for b in m.buffers() if b.dtype.is_floating_point]:
            t.data = torch.rand_like(t) + 0.5

    case("linear", nn.Linear(5, 3), 4, 5)
    case("linear without bias", nn.Linear(3, 2, bias=False), 1, 3)
    case("conv", nn.Conv2d(3, 4, 3, padding=1), 2, 3, 5, 5)
    case("conv stride 2", nn.Conv2d(2, 3, 3, stride=2, padding=1, bias=False), 1, 2, 5, 7)
    case("conv dilated grouped", nn.Conv2d(4, 6, 3, padding=2, dilation=2, groups=2), 2, 4, 5, 6)
    case("transposed conv", nn.ConvTranspose2d(3, 2, 3, stride=2, padding=1, output_padding=1), 2, 3, 3, 4)
    case("transposed conv grouped", nn.ConvTranspose2d(4, 6, 2, stride=2, groups=2, bias=False), 1, 4, 3, 3)
    case("batch norm in training", nn.BatchNorm2d(3), 2, 3, 3, 2, prepare=shaken)
    case("batch norm in evaluation", nn.BatchNorm2d(3), 2, 3, 3, 2, training=False, prepare=shaken)
    case("batch norm of vectors", nn.BatchNorm1d(3), 5, 3, prepare=shaken)
    case("max pool", nn.MaxPool2d(3, 2, 1), 2, 2, 5, 6)
    case("average pool", nn.AvgPool2d(2), 2, 3, 5, 4)
    case("global average pool", nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()), 2, 3, 3, 5)
    case("upsample nearest", nn.Upsample(scale_factor=2), 1, 2, 3, 2)
    case("upsample bilinear", nn.Upsample(scale_factor=2, mode="bilinear"), 1, 2, 3, 4)
    case("flatten", nn.Flatten(), 2, 3, 2, 4)
    for name, module in [("relu", nn.ReLU()), ("leaky relu", nn.LeakyReLU(0.1)), ("gelu", nn.GELU()),
                         ("silu", nn.SiLU()), ("sigmoid", nn.Sigmoid()), ("tanh", nn.Tanh())]:
        case(name, module, 2, 7)
    write("layers", cases)


def losses():
    cases = []

    def case(name, a, target, loss):
        a = a.clone().requires_grad_()
        value = loss(a, target)
        value.backward()
        labels = target.dtype == torch.int64
        cases.append({
            "name": name, "input": pack(a), "target": None if labels else pack(target),
            "labels": target.tolist() if labels else None, "value": value.item(), "gradient": pack(a.grad),
        })

    logits, labels = 2 * torch.randn(4, 5), torch.tensor([0, 4, 2, 2])
    soft = torch.rand(4, 5)
    soft /= soft.sum(1, keepdim=True)
    hard = soft * (soft > 0.2)
    hard /= hard.sum(1, keepdim=True)
    a, b = 2 * torch.randn(3, 4), torch.randn(3, 4)
    case("cross-entropy", logits, labels, F.cross_entropy)
    case("cross-entropy of large logits", 100 * logits, labels, F.cross_entropy)
    case("label smoothing", logits, labels, lambda x, y: F.cross_entropy(x, y, label_smoothing=0.1))
    case("soft targets", logits, soft, F.cross_entropy)
    case("mean squared error", a, b, F.mse_loss)
    case("huber", a, b, lambda x, y: F.huber_loss(x, y, delta=0.7))
    case("binary cross-entropy", a * 10, torch.rand(3, 4), F.binary_cross_entropy_with_logits)
    case("kl", logits, hard, lambda x, y: F.kl_div(F.log_softmax(x, 1), y, reduction="batchmean"))
    write("losses", cases)


def optimizers():
    start = [torch.randn(3, 2), torch.randn(2)]
    gradients = [[torch.randn(3, 2), torch.randn(2)] for _ in range(6)]
    cases = {}

    def case(name, make):
        ps = [p.clone().requires_grad_() for p in start]
        optimizer = make(ps)
        after = []
        for g in gradients:
            for p, grad in zip(ps, g):
                p.grad = grad.clone()
            optimizer.step()
            after.append([pack(p) for p in ps])
        cases[name] = after

    O = torch.optim
    case("sgd", lambda p: O.SGD(p, 0.1))
    case("sgd momentum", lambda p: O.SGD(p, 0.1, momentum=0.9, weight_decay=0.01))
    case("sgd nesterov", lambda p: O.SGD(p, 0.1, momentum=0.9, nesterov=True, weight_decay=0.01))
    case("sgd groups", lambda p: O.SGD(
        [{"params": [p[0]]}, {"params": [p[1]], "lr": 0.01, "weight_decay": 0}], 0.1, momentum=0.9, weight_decay=0.1))
    case("adam", lambda p: O.Adam(p, 0.1))
    case("adam decay", lambda p: O.Adam(p, 0.05, betas=(0.8, 0.99), eps=1e-6, weight_decay=0.1))
    case("adamw", lambda p: O.AdamW(p, 0.1, weight_decay=0.1))
    case("rmsprop", lambda p: O.RMSprop(p, 0.05))
    case("rmsprop momentum", lambda p: O.RMSprop(p, 0.05, alpha=0.9, momentum=0.9, weight_decay=0.1))

    clipped = [p.clone().requires_grad_() for p in start]
    for p, grad in zip(clipped, gradients[0]):
        p.grad = grad.clone()
    norm = nn.utils.clip_grad_norm_(clipped, 0.5)
    write("optimizers", {
        "start": [pack(p) for p in start], "gradients": [[pack(g) for g in gs] for gs in gradients],
        "after": cases, "norm": norm.item(), "clipped": [pack(p.grad) for p in clipped],
    })


def schedules():
    S = torch.optim.lr_scheduler

    def rates(make, steps):
        optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], 0.2)
        schedule = make(optimizer)
        found = []
        for _ in range(steps):
            found.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            schedule.step()
        return found

    write("schedules", {
        "step": rates(lambda o: S.StepLR(o, 3, 0.5), 10),
        "milestones": rates(lambda o: S.MultiStepLR(o, [2, 5], 0.1), 8),
        "cosine": rates(lambda o: S.CosineAnnealingLR(o, 10, 0.01), 11),
        "linear": rates(lambda o: S.LinearLR(o, 0.25, 1, 5), 8),
        "oneCycle": rates(lambda o: S.OneCycleLR(o, 0.5, 20), 20),
    })


# kuangliu/pytorch-cifar, models/vgg.py
def vgg16():
    layers, inputs = [], 3
    for x in [64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512, "M"]:
        if x == "M":
            layers.append(nn.MaxPool2d(2, 2))
        else:
            layers += [nn.Conv2d(inputs, x, 3, padding=1), nn.BatchNorm2d(x), nn.ReLU()]
            inputs = x
    return nn.ModuleDict({"features": nn.Sequential(*layers), "classifier": nn.Linear(512, 10)})


# akamaster/pytorch_resnet_cifar10, resnet.py
class Block(nn.Module):
    def __init__(self, inputs, planes, stride, option):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, planes, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.shortcut = nn.Sequential()
        self.pad = None
        if stride != 1 or inputs != planes:
            if option == "A":
                self.pad = planes // 4
            else:
                self.shortcut = nn.Sequential(nn.Conv2d(inputs, planes, 1, stride, bias=False), nn.BatchNorm2d(planes))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        way = self.shortcut(x) if self.pad is None else F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.pad, self.pad))
        return F.relu(y + way)


class ResNet(nn.Module):
    def __init__(self, depth, width, option, classes=10):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        inputs = width
        for i in range(3):
            blocks = []
            for j in range((depth - 2) // 6):
                blocks.append(Block(inputs, width << i, 2 if i > 0 and j == 0 else 1, option))
                inputs = width << i
            setattr(self, f"layer{i + 1}", nn.Sequential(*blocks))
        self.linear = nn.Linear(inputs, classes)

    def forward(self, x):
        y = self.layer3(self.layer2(self.layer1(F.relu(self.bn1(self.conv1(x))))))
        return self.linear(y.mean((2, 3)))


def models():
    def names(module):
        return {k: list((v.permute(2, 3, 1, 0) if v.dim() == 4 else v).shape)
                for k, v in module.state_dict().items() if "num_batches" not in k}

    cases = []
    for option in "AB":
        model = ResNet(8, 4, option, 3).train()
        for index, (_, p) in enumerate(model.named_parameters()):
            wave = torch.sin(torch.arange(p.numel()) * 0.7 + index).reshape(p.shape)
            p.data = wave * 0.3 if p.dim() > 1 else 1 + 0.2 * wave
        x = torch.randn(3, 3, 9, 7, requires_grad=True)
        labels = torch.tensor([0, 2, 1])
        y = model(x)
        loss = F.cross_entropy(y, labels)
        loss.backward()
        cases.append({
            "option": option, "input": pack(x), "labels": labels.tolist(), "logits": pack(y), "loss": loss.item(),
            "inputGradient": pack(x.grad),
            "gradientNorms": {k: p.grad.norm().item() for k, p in model.named_parameters()},
            "runningVar": pack(model.layer3[0].bn2.running_var),
            "evaluation": pack(model.eval()(x)),
        })
    write("models", {
        "names": {"vgg16": names(vgg16()), "resnet20": names(ResNet(20, 16, "A")), "resnet20b": names(ResNet(20, 16, "B"))},
        "resnets": cases,
    })


def distillation():
    """What a student learns from a teacher, written with PyTorch's own divergences as the papers' authors do."""
    torch.manual_seed(21)
    cases = []

    def case(name, student, teacher, labels, loss):
        student = student.clone().requires_grad_()
        value = loss(student, teacher, labels)
        value.backward()
        cases.append({
            "name": name, "student": pack(student), "teacher": pack(teacher), "labels": labels.tolist(),
            "value": value.item(), "gradient": pack(student.grad),
        })

    def kl(student, teacher, t):
        return F.kl_div(F.log_softmax(student / t, 1), F.softmax(teacher / t, 1), reduction="batchmean") * t * t

    def decoupled(student, teacher, labels, t=4.0, alpha=1.0, beta=8.0):
        mask = F.one_hot(labels, student.shape[1]).bool()

        def target(logits):
            p = F.softmax(logits / t, 1)
            return torch.stack([p[mask], p[~mask].reshape(len(labels), -1).sum(1)], 1)

        tckd = F.kl_div(target(student).log(), target(teacher), reduction="sum") * t * t / len(labels)
        nckd = F.kl_div(
            F.log_softmax(student / t - 1000.0 * mask, 1), F.softmax(teacher / t - 1000.0 * mask, 1),
            reduction="sum") * t * t / len(labels)
        return alpha * tckd + beta * nckd

    def standardized(logits):
        return (logits - logits.mean(1, keepdim=True)) / (1e-7 + logits.std(1, keepdim=True))

    def attention(student, teacher, labels):
        def at(f):
            return F.normalize(f.pow(2).mean(1).reshape(f.shape[0], -1))
        return (at(student) - at(teacher)).pow(2).mean()

    def teacher_free(student, teacher, labels, confidence=0.99, t=20.0):
        p = torch.full_like(student, (1 - confidence) / (student.shape[1] - 1))
        p[range(len(labels)), labels] = confidence
        return F.kl_div(F.log_softmax(student, 1), F.softmax(p / t, 1), reduction="batchmean")

    student, teacher, labels = 2 * torch.randn(4, 5), 3 * torch.randn(4, 5), torch.tensor([0, 4, 2, 2])
    case("distillation", student, teacher, labels, lambda s, t, _: kl(s, t, 4))
    case("distillation at 1", student, teacher, labels, lambda s, t, _: kl(s, t, 1))
    case("decoupled", student, teacher, labels, decoupled)
    case("decoupled of large logits", 10 * student, 10 * teacher, labels, decoupled)
    case("standardized", student, teacher, labels, lambda s, t, _: kl(standardized(s), standardized(t), 2))
    case("attention", torch.randn(2, 3, 4, 2), torch.randn(2, 5, 4, 2), labels, attention)
    case("mutual", student, teacher, labels, lambda s, t, _: kl(s, t, 1))
    case("teacher-free", student, teacher, labels, teacher_free)
    write("distillation", cases)


class SqueezeExcitation(nn.Module):
    def __init__(self, channels, reduction):
        super().__init__()
        self.reduce, self.expand = nn.Linear(channels, channels // reduction), nn.Linear(channels // reduction, channels)

    def forward(self, x):
        return x * torch.sigmoid(self.expand(F.relu(self.reduce(x.mean((2, 3))))))[:, :, None, None]


class EfficientChannelAttention(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(size))

    def forward(self, x):
        y = F.conv1d(x.mean((2, 3))[:, None], self.weight[None, None], padding=self.weight.numel() // 2)
        return x * torch.sigmoid(y[:, 0])[:, :, None, None]


class ConvolutionalBlockAttention(nn.Module):
    def __init__(self, channels, reduction):
        super().__init__()
        self.reduce, self.expand = nn.Linear(channels, channels // reduction), nn.Linear(channels // reduction, channels)
        self.spatial, self.norm = nn.Conv2d(2, 1, 7, padding=3, bias=False), nn.BatchNorm2d(1)

    def forward(self, x):
        asked = lambda v: self.expand(F.relu(self.reduce(v)))
        x = x * torch.sigmoid(asked(x.mean((2, 3))) + asked(x.amax((2, 3))))[:, :, None, None]
        summary = torch.stack([x.amax(1), x.mean(1)], 1)
        return x * torch.sigmoid(self.norm(self.spatial(summary)))


class Asymmetric(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.square = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.square_norm = nn.BatchNorm2d(outputs)
        self.vertical = nn.Parameter(torch.randn(outputs, inputs, 3, 1) * 0.3)
        self.vertical_norm = nn.BatchNorm2d(outputs)
        self.horizontal = nn.Parameter(torch.randn(outputs, inputs, 1, 3) * 0.3)
        self.horizontal_norm = nn.BatchNorm2d(outputs)

    def forward(self, x):
        s = self.square.stride
        return (self.square_norm(self.square(x)) + self.vertical_norm(F.conv2d(x, self.vertical, None, s, (1, 0)))
                + self.horizontal_norm(F.conv2d(x, self.horizontal, None, s, (0, 1))))


def blocks():
    torch.manual_seed(22)
    cases, case = layer_cases()
    case("squeeze-and-excitation", SqueezeExcitation(8, 4), 2, 8, 3, 2)
    case("efficient channel attention", EfficientChannelAttention(3), 2, 8, 3, 3)
    case("channel and spatial attention", ConvolutionalBlockAttention(8, 4), 2, 8, 5, 4)
    case("asymmetric convolution", Asymmetric(3, 4, 1), 2, 3, 5, 4)
    case("asymmetric convolution, stride 2", Asymmetric(2, 3, 2), 2, 2, 5, 6)
    write("blocks", cases)


class Tokens(nn.Embedding):
    def forward(self, x):
        return super().forward(x.long())


class SelfAttention(nn.MultiheadAttention):
    def __init__(self, features, heads, bias=True, causal=False):
        super().__init__(features, heads, bias=bias, batch_first=True)
        self.causal = causal

    def forward(self, x):
        mask = torch.full((x.shape[1], x.shape[1]), -math.inf).triu(1) if self.causal else None
        return super().forward(x, x, x, need_weights=False, attn_mask=mask)[0]


def sequences():
    torch.manual_seed(23)
    cases, case = layer_cases()

    def shaken(m):
        for t in m.parameters():
            t.data = torch.randn_like(t)

    case("linear of sequences", nn.Linear(5, 3), 2, 4, 5)
    case("layer norm", nn.LayerNorm(6), 2, 3, 6, prepare=shaken)
    case("layer norm without bias", nn.LayerNorm(6, bias=False), 4, 6, prepare=shaken)
    case("group norm", nn.GroupNorm(2, 6), 2, 6, 3, 4, prepare=shaken)
    case("instance norm", nn.GroupNorm(3, 3), 2, 3, 4, 2, prepare=shaken)
    case("embedding", Tokens(7, 3), x=torch.tensor([[0.0, 6, 2], [2, 2, 5]]))
    case("multi-head attention", SelfAttention(6, 2), 2, 4, 6, prepare=shaken)
    case("multi-head attention, causal", SelfAttention(6, 3, bias=False, causal=True), 2, 5, 6, prepare=shaken)
    case("conv 1 by 3", nn.Conv2d(2, 3, (1, 3), padding=(0, 1)), 2, 2, 5, 4)
    case("conv same", nn.Conv2d(2, 3, (2, 5), padding="same"), 1, 2, 4, 6)
    case("conv reflect", nn.Conv2d(2, 3, 3, stride=2, padding=2, padding_mode="reflect"), 2, 2, 5, 6)
    case("transposed conv 2 by 3", nn.ConvTranspose2d(3, 2, (2, 3), stride=2), 1, 3, 3, 4)
    case("max pool, ceil", nn.MaxPool2d(3, 2, ceil_mode=True), 2, 2, 6, 5)
    case("average pool, ceil", nn.AvgPool2d(3, 2, 1, ceil_mode=True), 2, 2, 6, 5)
    case("adaptive average pool", nn.AdaptiveAvgPool2d((2, 3)), 2, 2, 5, 4)
    case("adaptive max pool", nn.AdaptiveMaxPool2d((2, 3)), 2, 2, 5, 4)
    case("resize", nn.Upsample((7, 3), mode="bilinear"), 1, 2, 4, 5)
    case("resize nearest", nn.Upsample((7, 3)), 1, 2, 4, 5)
    write("sequences", cases)


def more_losses():
    torch.manual_seed(24)
    cases = []
    weights, upstream = torch.tensor([0.5, 2.0, 1.0, 0.0, 3.0]), torch.tensor([1.0, -2.0, 0.5, 3.0])

    def case(name, a, target, loss):
        a = a.clone().requires_grad_()
        value = loss(a, target)
        value.backward()
        labels = target.dtype == torch.int64
        cases.append({
            "name": name, "input": pack(a), "target": None if labels else pack(target),
            "labels": target.tolist() if labels else None, "value": value.item(), "gradient": pack(a.grad),
        })

    logits, labels = 2 * torch.randn(4, 5), torch.tensor([0, 4, 2, 1])
    some = torch.tensor([0, -1, 2, 1])
    C = F.cross_entropy
    case("class weights", logits, labels, lambda x, y: C(x, y, weights))
    case("class weights, summed", logits, labels, lambda x, y: C(x, y, weights, reduction="sum"))
    case("class weights, smoothed", logits, labels, lambda x, y: C(x, y, weights, label_smoothing=0.2))
    case("ignored label", logits, some, lambda x, y: C(x, y, ignore_index=-1))
    case("ignored label, weighted and smoothed", logits, some,
         lambda x, y: C(x, y, weights, ignore_index=-1, label_smoothing=0.1))
    case("no reduction", logits, some, lambda x, y: (upstream * C(x, y, weights, ignore_index=-1, reduction="none")).sum())
    a, b = 2 * torch.randn(3, 4), torch.randn(3, 4)
    case("l1", a, b, F.l1_loss)
    case("l1, summed", a, b, lambda x, y: F.l1_loss(x, y, reduction="sum"))
    case("l1, no reduction", a, b, lambda x, y: (F.l1_loss(x, y, reduction="none") * y).sum())
    write("more-losses", cases)


def plateaus():
    measures = [1.0, 0.9, 0.91, 0.9, 0.8999, 0.95, 0.5, 0.6, 0.5, 0.50001, 0.7, 0.49, 0.49, 0.49, 0.49, 0.3, 0.4, 0.4, 0.4, 0.4]
    cases = []
    for options in [{"factor": 0.1, "patience": 2}, {"factor": 0.5, "patience": 0, "cooldown": 2},
                    {"factor": 0.3, "patience": 1, "min_lr": 0.01, "threshold": 0.05}]:
        optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], 0.2)
        schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, **options)
        rates = []
        for measure in measures:
            schedule.step(measure)
            rates.append(optimizer.param_groups[0]["lr"])
        cases.append({"factor": options["factor"], "patience": options["patience"], "cooldown": options.get("cooldown", 0),
                      "minimum": options.get("min_lr", 0), "threshold": options.get("threshold", 1e-4), "rates": rates})
    write("plateaus", {"measures": measures, "cases": cases})


if __name__ == "__main__":
    layers()
    losses()
    optimizers()
    schedules()
    models()
    distillation()
    blocks()
    sequences()
    more_losses()
    plateaus()
