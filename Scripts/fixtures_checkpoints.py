"""Writes the small PyTorch files of Tests/CheckpointsTests/Fixtures: python3 Scripts/fixtures_checkpoints.py"""

import pathlib
import zipfile

import torch

folder = pathlib.Path(__file__).parent.parent / "Tests" / "CheckpointsTests" / "Fixtures"
folder.mkdir(exist_ok=True)
plain = torch.arange(6, dtype=torch.float32).reshape(2, 3)
state = {
    "module.plain": plain,
    "module.transposed": plain.t(),  # the same storage, other strides
    "module.column": plain[:, 1],
    "module.expanded": torch.tensor([7.0]).expand(4),
    "module.half": torch.nn.Parameter(torch.tensor([0.5, -2.0], dtype=torch.float16)),
    "module.integers": torch.tensor([-1, 300]),
    "module.empty": torch.zeros(0, 2, dtype=torch.float64),
    "module.num_batches_tracked": torch.tensor(3),
}
checkpoint = {"epoch": 3, "best": 0.5, "size": torch.Size([1, 2]), "state_dict": state}
torch.save(checkpoint, folder / "tensors-zip.pt")
torch.save(checkpoint, folder / "tensors-legacy.pt", _use_new_zipfile_serialization=False)
with zipfile.ZipFile(folder / "tensors-zip.pt") as source, zipfile.ZipFile(folder / "tensors-deflated.pt", "w") as out:
    for name in source.namelist():
        out.writestr(zipfile.ZipInfo(name), source.read(name), zipfile.ZIP_DEFLATED)

import argparse
import collections

import numpy

# What stands beside weights in checkpoints, and tensors of types that are new or not read.
objects = {
    "net": {
        "weight": plain, "bias": torch.ones(2), "lut": torch.tensor([1, 65535], dtype=torch.uint16),
        "brain": torch.tensor([1.5, -2], dtype=torch.bfloat16), "wave": torch.zeros(2, dtype=torch.complex64),
        "shared": plain,
    },
    "args": argparse.Namespace(lr=0.1), "best": numpy.float64(91.25), "milestones": collections.Counter([100, 150]),
    "device": torch.device("cpu"), "dtype": torch.float32, "tags": {"a", "b"}, "frozen": frozenset({1}), "commit": b"abc",
    "defaults": collections.defaultdict(list), "complex": 1 + 2j, "big": 1 << 80,
    "optimizer": {"state": {0: {"momentum_buffer": plain}}},
}
torch.save(objects, folder / "objects-zip.pt")
torch.save(objects, folder / "objects-protocol4.pt", _use_new_zipfile_serialization=False, pickle_protocol=4)

# One map in three places.
linear = {
    "0.weight": plain, "0.bias": torch.ones(2), "1.weight": torch.ones(2), "1.bias": torch.ones(2),
    "1.running_mean": torch.ones(2), "1.running_var": torch.ones(2),
}
torch.save({"state_dict_ema": linear, "state_dict": linear, "best": linear}, folder / "shared-zip.pt")


class Tiny(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(3, 2)
        self.bn = torch.nn.BatchNorm1d(2)
        self.register_buffer("cache", torch.zeros(5), persistent=False)


torch.manual_seed(0)
torch.save(Tiny(), folder / "model-zip.pt")
torch.save(Tiny(), folder / "model-legacy.pt", _use_new_zipfile_serialization=False)

arrays = {
    "matrix": numpy.arange(6, dtype="<f4").reshape(2, 3),
    "fortran": numpy.asfortranarray(numpy.arange(6, dtype="<f8").reshape(2, 3)),
    "cube": numpy.asfortranarray(numpy.arange(8, dtype="<i4").reshape(2, 2, 2)),
    "scalar": numpy.float64(2.5),
    "half": numpy.array([0.5, -2], dtype="<f2"),
    "bytes": numpy.array([0, 255], dtype="u1"),
    "flags": numpy.array([True, False]),
    "long": numpy.array([-1, 300]),
    "empty": numpy.zeros((0, 4), dtype="<f4"),
}
numpy.savez(folder / "arrays.npz", **arrays)
numpy.savez_compressed(folder / "arrays-deflated.npz", **arrays)
# As training scripts add them, and as NumPy of Python 2 wrote headers.
numpy.savez(folder / "arrays-others.npz", a=arrays["matrix"], arch="resnet8", classes=numpy.array(["cat", "dog"]),
            objects=numpy.array([None, {}], dtype=object), big=numpy.array([1, 2], dtype=">f4"))
