"""Small image files of every kind `core/src/image/decode.rs` reads, with Pillow's reading of them.

    pip install pillow numpy
    python tests/reference/images.py

Writes `images/*` and `images/expected.tsv`: file, width and height upright, and the red, green and blue of the
pixels in the middle of the four quarters (top left, top right, bottom left, bottom right), upright, on white. Of an animation it
is the first frame that is not of one colour.
"""

import struct
import zlib
from pathlib import Path

import numpy as np
import PIL
from PIL import Image, ImageOps

OUT = Path(__file__).parent / "images"
WIDTH, HEIGHT = 48, 32
QUARTERS = [(200, 40, 40), (40, 180, 60), (50, 60, 210), (230, 220, 50)]


def quarters(mode="RGB"):
    image = Image.new("RGB", (WIDTH, HEIGHT))
    for i, colour in enumerate(QUARTERS):
        x, y = i % 2 * WIDTH // 2, i // 2 * HEIGHT // 2
        image.paste(colour, (x, y, x + WIDTH // 2, y + HEIGHT // 2))
    return image.convert(mode)


def see_through():
    image = quarters("RGBA")
    alpha = Image.new("L", image.size, 255)
    alpha.paste(0, (0, 0, WIDTH // 2, HEIGHT // 2))
    alpha.paste(100, (WIDTH // 2, 0, WIDTH, HEIGHT // 2))
    image.putalpha(alpha)
    return image


def png(path, pixels):
    """An interlaced PNG of 8 or 16 bits, with transparency if there are four values a pixel: Pillow writes none."""
    height, width, channels = pixels.shape
    rows = b""
    for x, y, dx, dy in [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]:
        for row in pixels[y::dy, x::dx]:
            rows += b"\0" + row.astype(row.dtype.newbyteorder(">")).tobytes() if row.size else b""
    head = struct.pack(">IIBBBBB", width, height, 8 * pixels.itemsize, 6 if channels == 4 else 2, 0, 0, 1)
    parts = [(b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    chunks = [struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))


def rare(image):
    """What formats can also say."""
    turned = Image.Exif()
    turned[0x0112] = 6
    image.save(OUT / "orientation6.png", exif=turned)
    image.save(OUT / "orientation6.webp", exif=turned, lossless=True)
    image.save(OUT / "lossless.webp", lossless=True)
    quarters("L").convert("1", dither=Image.Dither.NONE).save(OUT / "black_white.png")
    quarters().quantize(4).save(OUT / "palette2.png", bits=2)
    see_through().quantize(6).save(OUT / "palette_alpha.png")
    see_through().convert("LA").save(OUT / "grey_alpha.png")
    image.save(OUT / "key.png", transparency=QUARTERS[0])
    png(OUT / "interlaced.png", np.asarray(image))
    png(OUT / "interlaced16.png", np.asarray(see_through()).astype(np.uint16) * 257)
    odd = image.resize((45, 31), Image.Resampling.NEAREST)
    odd.save(OUT / "odd.jpg", subsampling="4:2:0", quality=95)
    odd.save(OUT / "odd422.jpg", subsampling="4:2:2", quality=95, progressive=True)
    odd.save(OUT / "restarts.jpg", subsampling="4:4:4", restart_marker_blocks=3)
    image.save(OUT / "rgb.jpg", keep_rgb=True, quality=95)
    quarters("CMYK").save(OUT / "cmyk_progressive.jpg", progressive=True)
    image.resize((1, 31), Image.Resampling.NEAREST).save(OUT / "line.jpg", quality=95)
    image.resize((1, 1)).save(OUT / "pixel.png")
    white = Image.new("RGB", image.size, "white")
    corner = white.copy()
    corner.paste(image.crop((0, 0, WIDTH // 2, HEIGHT // 2)))
    # Frames that hold only what changes, put away in different ways.
    white.save(OUT / "fades.gif", save_all=True, append_images=[corner, image], disposal=[1, 2, 1])
    white.save(OUT / "fades.webp", save_all=True, append_images=[corner, image], lossless=True)
    white.save(OUT / "fades.png", save_all=True, append_images=[corner, image], blend=1)


def upright(path):
    image = Image.open(path)
    image.seek(1 if path.stem == "fades" else 0)
    image = ImageOps.exif_transpose(image)
    if image.mode == "I;16":
        image = Image.fromarray((np.asarray(image).astype(np.uint32) * 255 // 65535).astype(np.uint8))
    if "A" in image.mode or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image.convert("RGB")


def main():
    OUT.mkdir(exist_ok=True)
    image = quarters()
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        image.save(OUT / f"orientation{orientation}.jpg", quality=90, exif=exif)
    image.save(OUT / "progressive.jpg", progressive=True)
    quarters("L").save(OUT / "grey.jpg")
    quarters("CMYK").save(OUT / "cmyk.jpg")
    image.save(OUT / "rgb.png")
    quarters("P").save(OUT / "palette.png")
    quarters("L").save(OUT / "grey.png")
    see_through().save(OUT / "alpha.png")
    grey = np.asarray(quarters("L")).astype(np.uint16) * 257
    Image.fromarray(grey).save(OUT / "grey16.png")
    image.save(OUT / "lossy.webp", quality=90)
    see_through().save(OUT / "alpha.webp", lossless=True, exact=True)
    frames = [image, Image.new("RGB", image.size, "black")]
    frames[0].save(OUT / "animated.webp", save_all=True, append_images=frames[1:], lossless=True)
    frames[0].save(OUT / "animated.gif", save_all=True, append_images=frames[1:])
    see_through().save(OUT / "see_through.gif")
    rare(image)

    lines = [f"# Pillow {PIL.__version__}"]
    for path in sorted(OUT.iterdir()):
        if path.suffix == ".tsv":
            continue
        image = upright(path)
        w, h = image.size
        middles = [(x, y) for y in (h // 4, 3 * h // 4) for x in (w // 4, 3 * w // 4)]
        values = " ".join(str(v) for m in middles for v in image.getpixel(m))
        lines.append(f"{path.name}\t{w}\t{h}\t{values}")
    (OUT / "expected.tsv").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
