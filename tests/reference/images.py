"""Small image files of every kind `core/src/image/decode.rs` reads, with Pillow's reading of them.

    pip install pillow numpy
    python tests/reference/images.py

Writes `images/*` and `images/expected.tsv`: file, width and height upright, and the red, green and blue of the
pixels in the middle of the four quarters (top left, top right, bottom left, bottom right), upright, on white.
"""

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


def upright(path):
    image = Image.open(path)
    image.seek(0)
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
