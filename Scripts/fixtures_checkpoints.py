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

import numpy

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
