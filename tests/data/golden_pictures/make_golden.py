"""Writes the pictures of this folder and golden.txt: what Pillow makes of them.

    pip install "pillow<13" numpy && python3 make_golden.py

Made with Pillow 12.3.0 (libjpeg-turbo 3.1.4.1). Pillow 13 decodes to the same pixels, but resizes
some shapes vertically first. Pixels stand as the CRC-32 of their bytes [height, width, channels].
Lines of golden.txt:

    decode FILE CHANNELS HEIGHT WIDTH CRC
    resize CHANNELS HEIGHT WIDTH TO_HEIGHT TO_WIDTH CRC
    prepare CHANNELS HEIGHT WIDTH RULE TO_CHANNELS TO_HEIGHT TO_WIDTH CRC

The last two start from noise(), which the test repeats.
"""

import pathlib
import struct
import zlib

import numpy as np
from PIL import Image

FOLDER = pathlib.Path(__file__).parent
lines = []


def noise(channels, height, width):
    """Bytes of a linear congruential generator, the seed 1."""
    state, values = 1, []
    for _ in range(channels * height * width):
        state = (state * 1664525 + 1013904223) % 2**32
        values.append(state >> 24)
    return np.array(values, np.uint8).reshape(height, width, channels)


def image(pixels):
    return Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)


def array(picture):
    pixels = np.asarray(picture)
    return pixels if pixels.ndim == 3 else pixels[:, :, None]


def crc(pixels):
    return f"{zlib.crc32(np.ascontiguousarray(pixels).tobytes()):08x}"


def scene(channels, height, width):
    """Smooth with an edge and some noise: what a photograph asks of a decoder."""
    y, x = np.mgrid[0:height, 0:width]
    planes = []
    for channel in range(channels):
        plane = 128 + 90 * np.sin(x / (5 + channel) + y / 9) + 40 * (x > width / 2)
        planes.append(plane)
    pixels = np.stack(planes, 2) + noise(channels, height, width) / 16
    return np.clip(pixels, 0, 255).astype(np.uint8)


def decoded(name, pixels=None):
    """Records what Pillow decodes, or what it should where Pillow does something else."""
    if pixels is None:
        with Image.open(FOLDER / name) as picture:
            grey = picture.mode in ("L", "LA", "1")
            pixels = array(picture.convert("L" if grey else "RGB"))
    height, width, channels = pixels.shape
    lines.append(f"decode {name} {channels} {height} {width} {crc(pixels)}")


def save(name, picture, **options):
    picture.save(FOLDER / name, **options)
    decoded(name)


def jpegs():
    colour = image(scene(3, 29, 37))
    grey = image(scene(1, 29, 37))
    save("444.jpg", colour, quality=90, subsampling=0)
    save("422.jpg", colour, quality=75, subsampling=1)
    save("420.jpg", colour, quality=75, subsampling=2)
    save("420_restart.jpg", colour, quality=60, subsampling=2, restart_marker_rows=1)
    save("progressive_420.jpg", colour, quality=75, subsampling=2, progressive=True)
    save("progressive_444.jpg", colour, quality=95, subsampling=0, progressive=True)
    save("rgb.jpg", colour, quality=80, keep_rgb=True)
    save("grey.jpg", grey, quality=75)
    save("grey_progressive.jpg", grey, quality=50, progressive=True)
    save("one_pixel.jpg", image(scene(3, 1, 1)), quality=75)
    save("narrow.jpg", image(scene(3, 33, 2)), quality=75)
    Image.fromarray(scene(4, 9, 8), "CMYK").save(FOLDER / "cmyk.jpg")


def chunk(kind, data):
    return (struct.pack(">I", len(data)) + kind + data
            + struct.pack(">I", zlib.crc32(kind + data)))


def packed_rows(samples, depth):
    """Rows of samples [height, width, channels] to bytes, each with filter 0 in front."""
    rows = b""
    for row in samples:
        flat = row.reshape(-1)
        if depth == 16:
            data = flat.astype(">u2").tobytes()
        elif depth == 8:
            data = flat.astype(np.uint8).tobytes()
        else:
            bits = "".join(format(int(value), f"0{depth}b") for value in flat)
            bits += "0" * (-len(bits) % 8)
            data = int(bits, 2).to_bytes(len(bits) // 8, "big")
        rows += b"\0" + data
    return rows


ADAM7 = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2),
         (1, 0, 2, 1)]


def write_png(name, samples, depth, colour_type, interlaced=False, extra=b""):
    """Kinds of PNG that Pillow reads but does not write."""
    height, width, _ = samples.shape
    rows = b""
    for top, left, down, right in ADAM7 if interlaced else [(0, 0, 1, 1)]:
        part = samples[top::down, left::right]
        if part.size:
            rows += packed_rows(part, depth)
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, int(interlaced))
    (FOLDER / name).write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra
                                + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b""))


def pngs():
    colour, grey = scene(3, 13, 11), scene(1, 13, 11)
    save("rgb.png", image(colour))
    save("grey.png", image(grey))
    save("grey_1.png", image(grey).convert("1"))
    save("palette.png", image(colour).quantize(20))
    save("palette_2.png", image(colour).quantize(4), bits=2)
    save("palette_transparent.png", image(colour).quantize(20), transparency=3)
    save("rgba.png", Image.fromarray(noise(4, 13, 11), "RGBA"))
    save("grey_alpha.png", Image.fromarray(noise(2, 13, 11), "LA"))
    for depth in (2, 4):
        name = f"grey_{depth}.png"
        write_png(name, noise(1, 13, 11) >> (8 - depth), depth, 0)
        decoded(name)
    transparent = chunk(b"tRNS", struct.pack(">HHH", *map(int, colour[0, 0])))
    write_png("rgb_transparent.png", colour, 8, 2, extra=transparent)
    decoded("rgb_transparent.png")
    gamma = chunk(b"gAMA", struct.pack(">I", 100000))
    write_png("rgb_gamma.png", colour, 8, 2, extra=gamma)
    decoded("rgb_gamma.png")
    write_png("rgb_interlaced.png", colour, 8, 2, interlaced=True)
    decoded("rgb_interlaced.png")
    write_png("grey_1_interlaced.png", noise(1, 13, 11) >> 7, 1, 0, interlaced=True)
    decoded("grey_1_interlaced.png")
    deep = noise(4, 13, 11).astype(np.uint16) * 256 + noise(4, 13, 11)[::-1]
    write_png("rgb_16.png", deep[:, :, :3], 16, 2)
    decoded("rgb_16.png")
    write_png("rgba_16.png", deep, 16, 6)
    decoded("rgba_16.png")
    # Pillow clips these to 255 instead; here the upper byte is kept as for colour.
    write_png("grey_16.png", deep[:, :, :1], 16, 0)
    decoded("grey_16.png", (deep[:, :, :1] >> 8).astype(np.uint8))


def pnms():
    save("grey.pgm", image(scene(1, 5, 7)))
    save("rgb.ppm", image(scene(3, 5, 7)))
    few = noise(3, 4, 3) % 101
    (FOLDER / "rgb_100.ppm").write_bytes(b"P6\n# a comment\n3 4 100\n" + few.tobytes())
    decoded("rgb_100.ppm")
    (FOLDER / "grey_7.pgm").write_bytes(b"P5 3 4\n7\n" + (noise(1, 4, 3) % 8).tobytes())
    decoded("grey_7.pgm")
    text = " ".join(str(value) for value in few.reshape(-1))
    (FOLDER / "plain.ppm").write_text(f"P3\n3 4\n100\n{text}\n")
    decoded("plain.ppm")
    text = "\n".join(str(value) for value in noise(1, 4, 3).reshape(-1))
    (FOLDER / "plain.pgm").write_text(f"P2 3 4 255\n{text}")
    decoded("plain.pgm")


def resized(pixels, height, width):
    return array(image(pixels).resize((width, height), Image.BILINEAR))


RESIZES = [  # (height, width) from and to
    (17, 23, 4, 5), (17, 23, 31, 7), (17, 23, 7, 31), (17, 23, 34, 46), (17, 23, 17, 9),
    (17, 23, 9, 23), (17, 23, 17, 23), (17, 23, 1, 1), (17, 23, 16, 22), (17, 23, 18, 24),
    (1, 1, 5, 3), (2, 2, 3, 3), (1, 40, 3, 7), (40, 1, 7, 3), (3, 200, 50, 3), (64, 64, 28, 28),
    (64, 64, 32, 32), (100, 75, 224, 168), (75, 100, 24, 32), (2, 1000, 2, 1), (28, 28, 32, 32),
]


def resizes():
    for channels in (1, 3):
        for height, width, to_height, to_width in RESIZES:
            result = resized(noise(channels, height, width), to_height, to_width)
            lines.append(f"resize {channels} {height} {width} {to_height} {to_width} {crc(result)}")


def shorter_side(pixels, side, height, width):
    """torchvision's Resize(side) and CenterCrop((height, width)), formulas as there."""
    h, w, _ = pixels.shape
    short, long = min(h, w), max(h, w)
    longer = int(side * long / short)
    to = (side, longer) if h <= w else (longer, side)
    pixels = resized(pixels, *to)
    top = int(round((to[0] - height) / 2.0))
    left = int(round((to[1] - width) / 2.0))
    return pixels[top:top + height, left:left + width]


PREPARES = [  # height, width, rule, to height, to width
    (28, 28, "none", 28, 28), (17, 23, "stretch", 28, 28), (50, 37, "stretch", 32, 32),
    (37, 50, "shorter:32", 32, 32), (50, 37, "shorter:32", 28, 28), (50, 37, "shorter:33", 28, 28),
    (37, 51, "shorter:37", 32, 32), (37, 52, "shorter:37", 31, 30), (37, 53, "shorter:37", 32, 32),
    (37, 54, "shorter:37", 32, 32), (20, 20, "shorter:40", 33, 40), (1, 3, "shorter:5", 2, 5),
]


def prepares():
    for height, width, rule, to_height, to_width in PREPARES:
        for channels in (1, 3):
            for to_channels in (1, 3):
                pixels = noise(channels, height, width)
                if rule == "stretch":
                    pixels = resized(pixels, to_height, to_width)
                elif rule != "none":
                    pixels = shorter_side(pixels, int(rule[8:]), to_height, to_width)
                pixels = array(image(pixels).convert("L" if to_channels == 1 else "RGB"))
                lines.append(f"prepare {channels} {height} {width} {rule} {to_channels} "
                             f"{to_height} {to_width} {crc(pixels)}")


if __name__ == "__main__":
    jpegs()
    pngs()
    pnms()
    resizes()
    prepares()
    (FOLDER / "golden.txt").write_text("\n".join(lines) + "\n")
