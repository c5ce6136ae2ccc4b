"""Draws posters to measure a reader of text on: names in common fonts, set by FreeType on flat colours and photographs.

    python tests/ocr/posters.py FONTS PHOTOS OUT [COUNT]    # Pillow 12

FONTS has .ttf and .otf files, of which the families below are used; PHOTOS has JPEG files, of which every tenth is used.
OUT gets NNN.png and truth.jsonl: {"image", "lines": [...]}. The same files and count give the same posters.
"""
import json
import random
import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

FAMILIES = ["DejaVuSans", "LiberationSans", "LiberationSerif", "Roboto", "OpenSans", "Lato", "BebasNeue", "Carlito", "DejaVuSerif"]
FIRST = "Amara Beth Carlos Dana Elif Farid Greta Hugo Ines Jonas Kofi Lena Marco Nadia Omar Priya Quinn Rosa Sven Tara".split()
LAST = "Okafor Larsen Mendes Whitaker Yilmaz Haddad Novak Castillo Moreau Lindqvist Mensah Brandt Rossi Petrova".split()
PLACES = "Lisbon Oslo Nairobi Chicago Dublin Osaka Quito Warsaw Athens Denver Havana Leeds".split()
GROUPS = ["Northlight", "Blue Harbor", "Vega Records", "Red Kite FC", "Atlas Bank", "City Hall", "Radio Nine", "Orbit Labs"]
PHRASES = ["LIVE TONIGHT", "doors open at 8 pm", "free entry", "in concert", "SOLD OUT", "one night only", "tickets $12.50", "May 14, 2026",
           "with special guests", "Don't miss it!", "the final show", "vs", "presents", "at the old town hall"]


def lines(rng):
    name = f"{rng.choice(FIRST)} {rng.choice(LAST)}"
    three = [name, rng.choice(PLACES), rng.choice(GROUPS)]
    chosen = three + rng.sample(PHRASES, rng.randint(1, 3))
    rng.shuffle(chosen)
    return [line.upper() if rng.random() < 0.3 else line for line in chosen]


def poster(rng, fonts, photos):
    width, height = rng.choice([(640, 480), (480, 640), (800, 800), (1024, 576)])
    if rng.random() < 0.4:
        photo = Image.open(rng.choice(photos)).convert("RGB").resize((width, height))
        dark = rng.random() < 0.5
        photo = Image.blend(photo, Image.new("RGB", photo.size, (0, 0, 0) if dark else (255, 255, 255)), 0.45)
        ink = (255, 255, 255) if dark else (10, 10, 30)
    else:
        ground = tuple(rng.randrange(256) for _ in range(3))
        photo = Image.new("RGB", (width, height), ground)
        ink = (255, 255, 255) if sum(ground) < 330 else (15, 15, 25)
    draw = ImageDraw.Draw(photo)
    said, top = lines(rng), int(0.06 * height)
    room = (height - 2 * top) // len(said)
    for i, line in enumerate(said):
        path = rng.choice(fonts)
        if path.stem.startswith("BebasNeue"):
            # It has capitals alone.
            said[i] = line = line.upper()
        size = int(room * rng.uniform(0.35, 0.75))
        font = ImageFont.truetype(str(path), size)
        while draw.textlength(line, font=font) > 0.9 * width:
            size = int(0.9 * size)
            font = ImageFont.truetype(str(path), size)
        left = (width - draw.textlength(line, font=font)) / 2 if rng.random() < 0.6 else 0.05 * width
        draw.text((left, top), line, font=font, fill=ink)
        top += room
    return photo, said


def main(fonts, photos, out, count=40):
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    styles = [f"{family}{style}" for family in FAMILIES for style in ("", "-Regular", "-Bold")]
    fonts = sorted(path for path in Path(fonts).rglob("*.[to]tf") if path.stem in styles)
    photos = sorted(Path(photos).rglob("*.jpg"))[::10]
    with open(out / "truth.jsonl", "w") as truth:
        for i in range(int(count)):
            image, said = poster(random.Random(i), fonts, photos)
            image.save(out / f"{i:03}.png")
            truth.write(json.dumps({"image": f"{i:03}.png", "lines": said}) + "\n")


main(*sys.argv[1:])
