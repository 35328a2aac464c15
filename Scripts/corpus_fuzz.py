"""Writes the seed corpus of the fuzz program that the library cannot write itself: `python3 Scripts/corpus_fuzz.py`.

Needs NumPy and Pillow. Tiny sets in the forms of the published CIFAR archives, pickles, and JPEGs.
"""
import io
import pathlib
import pickle
import tarfile

import numpy
from PIL import Image

corpus = pathlib.Path(__file__).parent.parent / "Fuzz" / "Corpus"
random = numpy.random.default_rng(0)


def write(name, data):
    path = corpus / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def archive(files, mode):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode, format=tarfile.USTAR_FORMAT) as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def images(count):
    # Few different bytes: a gzipped archive of them stays small.
    return numpy.repeat(random.integers(0, 256, (count, 48), numpy.uint8), 64, axis=1)


def pickled(count):
    return pickle.dumps(
        {b"data": images(count), b"coarse_labels": [3] * count, b"fine_labels": [7] * count, b"batch_label": b"b"}, 2)


names = {b"fine_label_names": [b"f%d" % i for i in range(100)], b"coarse_label_names": [b"c%d" % i for i in range(20)]}
python = {
    "cifar-100-python/train": pickled(2), "cifar-100-python/test": pickled(1),
    "cifar-100-python/meta": pickle.dumps(names, 2),
}
record = lambda: bytes([3, 7]) + images(1).tobytes()
binary = {
    "cifar-100-binary/train.bin": record() + record(), "cifar-100-binary/test.bin": record(),
    "cifar-100-binary/fine_label_names.txt": b"".join(b"f%d\n" % i for i in range(100)),
    "cifar-100-binary/coarse_label_names.txt": b"".join(b"c%d\n" % i for i in range(20)),
}
write("cifar/python.tar", archive(python, "w"))
write("cifar/binary.tar", archive(binary, "w"))
write("cifar/binary.tar.gz", archive(binary, "w:gz"))

small = {"data": random.integers(0, 256, (2, 8), numpy.uint8), "labels": [1, 2], "more": (None, True, 1.5, 1 << 70, "x" * 300)}
for protocol in (2, 4):
    write(f"pickle/protocol{protocol}.pickle", pickle.dumps(small, protocol))

picture = Image.fromarray(random.integers(0, 256, (8, 16, 3), numpy.uint8))
for name, options in {"baseline": {}, "progressive": {"progressive": True}}.items():
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=50, **options)
    write(f"image/{name}.jpg", out.getvalue())
