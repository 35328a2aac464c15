#!/usr/bin/env python3
"""Writes images.json and reduced.json to Tests/DatasetsTests/Fixtures: `python3 Scripts/fixtures_images.py`.

Needs NumPy and Pillow 12: later versions take the axes in another order where that is faster, which rounds differently. Small files of every format that is read with Pillow's pixels, and images that Pillow scaled; then JPEGs
that Pillow decoded at a reduced scale and in full, and scaled.
"""
import base64
import io
import json
import pathlib
import struct
import zlib

import numpy
from PIL import Image, ImageOps

random = numpy.random.default_rng(0)
out = pathlib.Path(__file__).parent.parent / "Tests" / "DatasetsTests" / "Fixtures" / "images.json"


def picture(height, width, channels):
    """Smooth colours with some noise."""
    y, x, c = numpy.mgrid[:height, :width, :channels]
    smooth = 128 + 100 * numpy.sin(x / 3 + c) * numpy.cos(y / 4 + c)
    return numpy.clip(smooth + random.integers(-20, 20, smooth.shape), 0, 255).astype(numpy.uint8)


def image(array):
    return Image.fromarray(array[..., 0] if array.shape[2] == 1 else array)


def array(image):
    """[height, width, 1 or 3]; transparency multiplies the value."""
    if image.mode in ("RGBA", "LA"):
        values = numpy.asarray(image).astype(int)
        return ((values[..., :-1] * values[..., -1:] + 127) // 255).astype(numpy.uint8)
    if image.mode == "1":
        image = image.convert("L")
    values = numpy.asarray(image if image.mode in ("L", "RGB") else image.convert("RGB"))
    return values[..., None] if values.ndim == 2 else values


def entry(values):
    return {"shape": list(values.shape), "pixels": base64.b64encode(values.tobytes()).decode()}


files = []


def add(name, data, expected, tolerance=0):
    files.append({"name": name, "file": base64.b64encode(data).decode(), "tolerance": tolerance, "image": entry(expected)})


def encoded(image, format, **options):
    stream = io.BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()


def by_pillow(name, data, tolerance=0):
    opened = Image.open(io.BytesIO(data))
    add(name, data, array(ImageOps.exif_transpose(opened)), tolerance)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def interlaced(values):
    """A PNG of eight bits in Adam7's seven passes."""
    height, width, channels = values.shape
    rows = b""
    for top, left, down, right in [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]:
        for row in values[top::down, left::right]:
            if row.size:
                rows += b"\0" + row.tobytes()
    header = struct.pack(">IIBBBBB", width, height, 8, 2 if channels == 3 else 0, 0, 0, 1)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


colour, grey = picture(9, 12, 3), picture(9, 12, 1)
alpha = numpy.concatenate([colour, picture(9, 12, 1)], axis=2)
by_pillow("palette.png", encoded(image(colour).quantize(16), "PNG"))
by_pillow("grey-alpha.png", encoded(Image.merge("LA", [image(grey), image(picture(9, 12, 1))]), "PNG"))
by_pillow("alpha.png", encoded(Image.fromarray(alpha, "RGBA"), "PNG"))
sixteen = random.integers(0, 65536, (9, 12), numpy.uint16)
add("16-bit.png", encoded(Image.fromarray(sixteen), "PNG"), ((sixteen.astype(int) * 255 + 32767) // 65535).astype(numpy.uint8)[..., None])
for values, name in [(colour, "colour"), (grey, "grey")]:
    add(f"interlaced-{name}.png", interlaced(values), values)
by_pillow("grey.jpg", encoded(image(grey), "JPEG", quality=95), 2)
for progressive in (False, True):
    by_pillow(f"colour-{progressive}.jpg", encoded(image(colour), "JPEG", quality=95, progressive=progressive), 2)
by_pillow("inks.jpg", encoded(image(colour).convert("CMYK"), "JPEG", quality=95), 3)
for orientation in range(1, 9):
    exif = Image.Exif()
    exif[0x0112] = orientation
    by_pillow(f"orientation-{orientation}.png", encoded(image(colour[:2, :3]), "PNG", exif=exif))
    by_pillow(f"orientation-{orientation}.jpg", encoded(image(colour), "JPEG", quality=95, subsampling=0, exif=exif), 2)
exif[0x0112] = 6
by_pillow("orientation.webp", encoded(image(colour), "WEBP", lossless=True, exif=exif))
by_pillow("lossless.webp", encoded(image(colour), "WEBP", lossless=True))
by_pillow("lossy.webp", encoded(image(colour), "WEBP", quality=80), 2)
by_pillow("alpha.webp", encoded(Image.fromarray(alpha, "RGBA"), "WEBP", lossless=True, exact=True))
by_pillow("colour.bmp", encoded(image(colour), "BMP"))
by_pillow("grey.bmp", encoded(image(grey), "BMP"))
by_pillow("palette.bmp", encoded(image(colour).quantize(16), "BMP"))
by_pillow("bits.bmp", encoded(image(grey).convert("1"), "BMP"))


def bitmap(bits, compression, data, width, height, palette=b"", masks=b""):
    start = 54 + len(masks) + len(palette)
    header = struct.pack("<2sIHHI", b"BM", start + len(data), 0, 0, start)
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(data), 0, 0, len(palette) // 4, 0)
    return header + info + masks + palette + data


def rows(values, stride):
    return b"".join(row.tobytes().ljust(stride, b"\0") for row in values)


colours = bytes(random.integers(0, 256, 16 * 4, numpy.uint8))
table = numpy.frombuffer(colours, numpy.uint8).reshape(16, 4)[:, 2::-1]
indices = random.integers(0, 16, (4, 5))
add("top-down.bmp", bitmap(24, 0, rows(colour[..., ::-1], 36), 12, -9), colour)
add("four-bits.bmp", bitmap(4, 0, b"".join(
    bytes([r[0] << 4 | r[1], r[2] << 4 | r[3], r[4] << 4, 0]) for r in indices[::-1]), 5, 4, colours), table[indices])
runs = b"".join(b"".join(bytes([1, int(i)]) for i in r[:2]) + bytes([0, 3, *map(int, r[2:]), 0, 0, 0]) for r in indices[::-1])
add("runs-8.bmp", bitmap(8, 1, runs + b"\0\1", 5, 4, colours), table[indices])
halves = b"".join(bytes([5, int(r[0]) << 4 | int(r[1]), 0, 0]) for r in indices[::-1])
add("runs-4.bmp", bitmap(4, 2, halves + b"\0\1", 5, 4, colours), table[indices[:, [0, 1, 0, 1, 0]]])
pixels = random.integers(0, 1 << 15, (4, 6), numpy.uint16)
five = lambda shift: ((pixels >> shift) & 31).astype(int) * 255 // 31
add("15-bits.bmp", bitmap(16, 0, rows(pixels[::-1], 12), 6, 4), numpy.stack([five(10), five(5), five(0)], 2).astype(numpy.uint8))
pixels = random.integers(0, 1 << 16, (4, 6), numpy.uint16)
six = ((pixels >> 5) & 63).astype(int) * 255 // 63
masks = struct.pack("<III", 0xf800, 0x7e0, 0x1f)
add("16-bits.bmp", bitmap(16, 3, rows(pixels[::-1], 12), 6, 4, masks=masks),
    numpy.stack([five(11), six, five(0)], 2).astype(numpy.uint8))
add("32-bits.bmp", bitmap(32, 0, rows(numpy.concatenate([colour[::-1, :, ::-1], grey], axis=2), 48), 12, 9), colour)
add("plain.ppm", b"P3 # colours\n12 9\n255\n" + " ".join(map(str, colour.ravel())).encode(), colour)
add("raw.ppm", b"P6\n# colours\n12\n9 255\n" + colour.tobytes(), colour)
add("raw.pgm", b"P5 12 9 255\n" + grey.tobytes(), grey)
add("15.pgm", b"P2 12 9 15\n" + " ".join(map(str, grey.ravel() // 16)).encode(), (grey // 16 * 17))
wide = random.integers(0, 65536, (9, 12), numpy.uint16)
add("16-bit.pgm", b"P5 12 9 65535\n" + wide.astype(">u2").tobytes(),
    ((wide.astype(int) * 255 + 32767) // 65535).astype(numpy.uint8)[..., None])
bits = random.integers(0, 2, (4, 10), numpy.uint8)
add("plain.pbm", b"P1\n10 4\n" + b"\n".join(b"".join(b"%d" % v for v in row) for row in bits), (255 * (1 - bits))[..., None].astype(numpy.uint8))
add("raw.pbm", b"P4\n10 4\n" + numpy.packbits(bits, axis=1).tobytes(), (255 * (1 - bits))[..., None].astype(numpy.uint8))

# Sizes as torchvision's Resize and CenterCrop, and Pillow's ImageOps.pad, compute them.


def covered(image, height, width):
    w, h = image.size
    scaled = (int(height * w / h), height) if height * w > width * h else (width, int(width * h / w))
    scaled = max(scaled[0], width), max(scaled[1], height)
    image = image.resize(scaled, Image.BILINEAR)
    top, left = int(round((scaled[1] - height) / 2)), int(round((scaled[0] - width) / 2))
    return image.crop((left, top, left + width, top + height))


scaled = []
for shape, sizes in [((23, 17, 3), [(7, 5), (8, 8), (40, 31), (23, 5), (1, 1), (9, 16)]), ((12, 31, 1), [(8, 8), (5, 29), (64, 64), (3, 3)]),
                     ((1, 40, 3), [(4, 4)]), ((50, 50, 1), [(32, 32), (11, 50)])]:
    values = picture(*shape)
    for height, width in sizes:
        original = image(values)
        results = {
            "stretch": original.resize((width, height), Image.BILINEAR),
            "resize": covered(original, height, width),
        }
        # Pillow would make a picture without rows of a single one.
        if shape[0] > 1:
            results["pad"] = ImageOps.pad(original, (width, height), Image.BILINEAR)
        scaled.append({"image": entry(values), "height": height, "width": width,
                       "results": {k: entry(array(v)) for k, v in results.items()}})
out.write_text(json.dumps({"files": files, "scaled": scaled}, indent=1) + "\n")

# JPEGs that Pillow decodes at a reduced scale, with twice the pixels of the size wanted.

random = numpy.random.default_rng(1)


def photograph(height, width, channels):
    """Smooth colours, edges, and a little noise."""
    y, x, c = numpy.mgrid[:height, :width, :channels]
    smooth = 128 + 70 * numpy.sin(x / 23 + c) * numpy.cos(y / 17 + c) + 50 * ((x + y) // 31 % 2) * (1 - c / 3)
    return numpy.clip(smooth + random.normal(0, 3, smooth.shape), 0, 255).astype(numpy.uint8)


def ycck(values):
    """A JPEG of inks whose first three are stored as luma and chroma: those of white less the stored inks."""
    # Pillow stores what is missing of each ink, and says that it is no luma: the last byte of Adobe's marker.
    planes = [plane.point(lambda v: 255 - v) for plane in image(255 - values).convert("YCbCr").split()]
    data = bytearray(encoded(Image.merge("CMYK", planes + [Image.new("L", planes[0].size, 40)]), "JPEG", quality=90))
    assert data[6:11] == b"Adobe" and data[17] == 0
    data[17] = 2
    return bytes(data)


def prepared(data, reduction, fit, height, width):
    """The image that `data` encodes, decoded at 1 / reduction, upright, in colours, in the size wanted."""
    opened = Image.open(io.BytesIO(data))
    whole = opened.size
    if reduction > 1:
        opened.draft(None, (whole[0] // reduction, whole[1] // reduction))
        assert opened.size == tuple(-(-side // reduction) for side in whole)
    turns = opened.getexif().get(0x0112, 1) > 4
    upright = ImageOps.exif_transpose(opened)
    if upright.mode not in ("L", "RGB"):
        upright = upright.convert("RGB")
    w, h = whole[::-1] if turns else whole
    if fit == "resize":
        scaled = (int(height * w / h), height) if height * w > width * h else (width, int(width * h / w))
        scaled = max(scaled[0], width), max(scaled[1], height)
    else:
        scaled = width, height
    # A turn would bring a last column that is there in part to the beginning.
    whole_blocks = lambda r: opened.getexif().get(0x0112, 1) == 1 or whole[0] % r == whole[1] % r == 0
    possible = [r for r in (2, 4, 8) if w >= 2 * r * scaled[0] and h >= 2 * r * scaled[1] and whole_blocks(r)]
    assert reduction in (1, max(possible, default=1))
    upright = upright.resize(scaled, Image.BILINEAR, (0, 0, w / reduction, h / reduction))
    top, left = int(round((scaled[1] - height) / 2)), int(round((scaled[0] - width) / 2))
    return upright.crop((left, top, left + width, top + height))


exif = Image.Exif()
reduced = []
for name, shape, options, reduction, fit, height, width in [
    ("4:2:0", (120, 161, 3), {}, 4, "resize", 15, 15),
    ("4:2:0, portrait", (161, 93, 3), {}, 2, "resize", 23, 23),
    ("4:4:4", (97, 131, 3), {"subsampling": 0}, 2, "resize", 20, 20),
    ("4:2:2", (96, 99, 3), {"subsampling": 1}, 8, "stretch", 6, 6),
    ("grey", (97, 131, 1), {}, 8, "resize", 6, 6),
    ("progressive", (120, 160, 3), {"progressive": True}, 2, "resize", 30, 30),
    ("orientation 3", (64, 88, 3), {"orientation": 3}, 4, "resize", 8, 8),
    ("orientation 7, no multiple of 4", (66, 90, 3), {"orientation": 7}, 2, "resize", 8, 8),
    ("orientation 6", (64, 90, 3), {"orientation": 6}, 2, "stretch", 16, 15),
    ("orientation 8, progressive", (90, 64, 3), {"orientation": 8, "progressive": True}, 2, "resize", 12, 20),
    ("CMYK", (64, 90, 3), {"inks": "CMYK"}, 2, "resize", 16, 16),
    ("YCCK", (64, 90, 3), {"inks": "YCCK"}, 4, "stretch", 8, 8),
    ("large enough for no less", (60, 80, 3), {}, 1, "resize", 16, 16),
    ("smaller", (5, 7, 3), {}, 1, "resize", 8, 8),
    ("a pixel", (1, 1, 3), {}, 1, "stretch", 8, 9),
]:
    values = photograph(*shape)
    inks, orientation = options.pop("inks", None), options.pop("orientation", None)
    if orientation:
        exif[0x0112] = orientation
        options["exif"] = exif
    if inks == "YCCK":
        data = ycck(values)
    else:
        data = encoded(image(values).convert("CMYK") if inks else image(values), "JPEG", quality=85, **options)
    reduced.append({
        "name": name, "file": base64.b64encode(data).decode(), "reduction": reduction, "fit": fit,
        "height": height, "width": width, "reduced": entry(array(prepared(data, reduction, fit, height, width))),
        "full": entry(array(prepared(data, 1, fit, height, width)))})
    difference = numpy.abs(array(prepared(data, reduction, fit, height, width)).astype(int) - array(prepared(data, 1, fit, height, width)))
    print(f"{name}: {len(data)} bytes, reduced and full differ by {difference.mean():.2f}, at most {difference.max()}")
out.with_name("reduced.json").write_text(json.dumps(reduced, indent=1) + "\n")
