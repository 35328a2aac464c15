"""Holds the weights that a run left against those of the baseline that it was given; see Scripts/given-baseline-check."""
import pathlib
import sys

import numpy as np
from safetensors.numpy import load_file


def shapes(state):
    return {name: tensor.shape for name, tensor in state.items()}


def main(given, out, *pytorch):
    # The .th file that the run was given has the same tensors under DataParallel's names.
    given = {f"module.{name}": tensor for name, tensor in load_file(given).items()}
    run = pathlib.Path(out) / "run" / "seed-0"
    arms = {arm: load_file(run / f"{arm}.safetensors") for arm in ("A0", "A2", "A3", "A4")}
    for arm, state in arms.items():
        missing = sorted(given.keys() ^ state.keys())
        assert not missing, f"{arm}: only one of the two files has {missing[:5]}"
        assert shapes(state) == shapes(given), f"{arm}: shapes differ"
        assert all(np.isfinite(tensor).all() for tensor in state.values()), f"{arm}: not finite"
        same = all(np.array_equal(state[name], given[name]) for name in given)
        assert same == (arm == "A0"), f"{arm}: the values are {'those' if same else 'not those'} that were given"
    archive = np.load(pathlib.Path(out) / "A3.npz")
    assert set(archive.files) == set(given), "A3.npz: names differ"
    assert all(np.array_equal(archive[name], arms["A3"][name]) for name in given), "A3.npz: values differ"
    print(f"given-baseline-check: {len(given)} tensors of {', '.join(arms)} have the names and shapes that came in, A0 their values")
    if pytorch:
        load_in_pytorch(*pytorch, run)


def load_in_pytorch(file, images, run):
    import torch
    from safetensors.torch import load_file as load_tensors
    from train_peer import accuracy, images as read_images, published_resnet20

    model = published_resnet20()
    mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
    deviation = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)
    test = read_images("cifar10", images, "test")
    found = {"given": torch.load(file, map_location="cpu", weights_only=True)["state_dict"]}
    found |= {arm: load_tensors(run / f"{arm}.safetensors") for arm in ("A0", "A2", "A3", "A4")}
    for name, state in found.items():
        model.load_state_dict(state)
        right = accuracy(model, *test, lambda x: (x.float() / 255 - mean) / deviation)
        print(f"given-baseline-check: PyTorch's load_state_dict takes {name}: {right:.2%} of the test images right")


if __name__ == "__main__":
    main(*sys.argv[1:])
