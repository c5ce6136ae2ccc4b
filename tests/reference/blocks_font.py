"""Draws tests/fonts/blocks.ttf: a font for tests whose every character is a bar and squares for the bits of its code.

    python tests/reference/blocks_font.py tests/fonts/blocks.ttf    # fontTools 4.60
"""
import sys

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

UNIT = 125
CHARACTERS = [chr(code) for code in range(0x20, 0x7F)] + ["£", "€"]


def square(pen, x, y, width, height):
    pen.moveTo((x, y))
    pen.lineTo((x, y + height))
    pen.lineTo((x + width, y + height))
    pen.lineTo((x + width, y))
    pen.closePath()


def glyph(character):
    pen = TTGlyphPen(None)
    if character != " ":
        code = CHARACTERS.index(character)
        square(pen, UNIT, 0, UNIT, 7 * UNIT)
        for bit in range(7):
            if code >> bit & 1:
                square(pen, 2 * UNIT, bit * UNIT, UNIT, UNIT)
    return pen.glyph()


names = [".notdef"] + [f"c{ord(c)}" for c in CHARACTERS]
builder = FontBuilder(8 * UNIT, isTTF=True)
builder.setupGlyphOrder(names)
builder.setupCharacterMap({ord(c): f"c{ord(c)}" for c in CHARACTERS})
builder.setupGlyf({".notdef": TTGlyphPen(None).glyph(), **{f"c{ord(c)}": glyph(c) for c in CHARACTERS}})
builder.setupHorizontalMetrics({name: (4 * UNIT, UNIT) for name in names})
builder.setupHorizontalHeader(ascent=7 * UNIT, descent=-UNIT)
builder.setupNameTable({"familyName": "Blocks", "styleName": "Regular"})
builder.setupOS2(sTypoAscender=7 * UNIT, sTypoDescender=-UNIT)
builder.setupPost()
# The same bytes each time.
builder.font["head"].created = builder.font["head"].modified = 0
builder.font.recalcTimestamp = False
builder.save(sys.argv[1])
