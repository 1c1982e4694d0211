"""Grey pictures as PNG with named axes, each cell a tile that an eye can find again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import BytesIO

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from fwid_agent.types import U1, Bools

_TILE_PX, _GAP_PX = 26, 2
_FONT_PX, _TITLE_PX = 20, 26
_MARGIN_PX = 24
_LEGEND_PX = (360, 18)
_PAPER, _INK, _FAINT = (255, 255, 255), (28, 32, 38), (104, 112, 122)
_SILENT = (233, 236, 240)

Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Palette:
    """How the levels 0 .. 255 of a picture look, and what they mean."""

    stops: tuple[tuple[int, Colour], ...]  # levels in rising order, colours between are mixed
    low: str  # words below the legend
    middle: str
    high: str
    silent: bool  # level 0 is "nothing was sent", in a colour of its own


GREY = Palette(
    ((1, (0, 0, 0)), (255, (255, 255, 255))), "least", "", "most of all devices", silent=True
)
# Blue and red are told apart by every common kind of colour vision.
DIFFERENCE = Palette(
    (
        (0, (5, 64, 132)),
        (64, (67, 147, 195)),
        (128, (242, 242, 240)),
        (192, (214, 96, 77)),
        (255, (122, 4, 34)),
    ),
    "less",
    "as always",
    "more",
    silent=False,
)


@dataclass(frozen=True, slots=True)
class Axes:
    """Names of a picture's rows and columns."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    of_rows: str = ""  # what all rows are, and all columns
    of_columns: str = ""


def render_picture(image: U1, axes: Axes, title: str, palette: Palette = GREY) -> bytes:
    """Draw a picture [rows, columns] as PNG.

    Raises:
        ValueError: the axes are not those of the picture.

    """
    if image.shape != (len(axes.rows), len(axes.columns)):
        raise ValueError(f"axes of {len(axes.rows)} x {len(axes.columns)} for {image.shape}")
    title = " ".join(title.split())  # text is drawn on one line
    font, title_font = ImageFont.load_default(_FONT_PX), ImageFont.load_default(_TITLE_PX)
    names = (*axes.rows, axes.of_rows)
    left = _MARGIN_PX + max(_width(font, name) for name in names) + 12
    names_height = max((_width(font, name) for name in axes.columns), default=0) + 12
    top = _MARGIN_PX + _TITLE_PX + 20 + names_height
    step = _TILE_PX + _GAP_PX
    grid_width, grid_height = len(axes.columns) * step, len(axes.rows) * step
    width = max(
        left + grid_width,
        left + _LEGEND_PX[0] + 160,
        _MARGIN_PX + _width(title_font, title),
    )
    canvas = Image.new("RGB", (width + _MARGIN_PX, top + grid_height + 124), _PAPER)
    draw = ImageDraw.Draw(canvas)
    draw.text((_MARGIN_PX, _MARGIN_PX), title, _INK, title_font)
    colours = _colours(palette)
    for row, name in enumerate(axes.rows):
        y = top + row * step
        draw.text((left - 12, y + _TILE_PX / 2), name, _INK, font, anchor="rm")
        for column in range(len(axes.columns)):
            x = left + column * step
            tile = (x, y, x + _TILE_PX - 1, y + _TILE_PX - 1)
            draw.rectangle(tile, colours[int(image[row, column])])
    draw.text((_MARGIN_PX, top - 10), axes.of_rows, _FAINT, font, anchor="ls")
    foot = (left + grid_width // 2, top + grid_height + 8)
    draw.text(foot, axes.of_columns, _FAINT, font, anchor="ma")
    for column, name in enumerate(axes.columns):
        _write_upright(canvas, name, font, (left + column * step + _TILE_PX // 2, top - 10))
    _draw_legend(draw, palette, colours, (left, top + grid_height + 48))
    return _encode(canvas)


def speaking_rows(images: Sequence[U1], silent: int) -> Bools:
    """Say which rows [rows] of pictures of one shape show anything but `silent`."""
    kept = np.zeros(len(images[0]), bool)
    for image in images:
        kept |= (image != silent).any(axis=1)
    return kept


def select_rows(image: U1, axes: Axes, kept: Bools) -> tuple[U1, Axes]:
    """Leave rows out of a picture and its axes."""
    names = tuple(name for name, keep in zip(axes.rows, kept, strict=True) if keep)
    return image[kept], replace(axes, rows=names)


def _colours(palette: Palette) -> list[Colour]:
    levels = [level for level, _ in palette.stops]
    mixed = np.stack(
        [np.interp(range(256), levels, [c[i] for _, c in palette.stops]) for i in range(3)], axis=1
    )
    colours: list[Colour] = [(int(r), int(g), int(b)) for r, g, b in np.round(mixed)]
    if palette.silent:
        colours[0] = _SILENT
    return colours


def _draw_legend(
    draw: ImageDraw.ImageDraw, palette: Palette, colours: list[Colour], at: tuple[int, int]
) -> None:
    """Draw the scale, and beside it the tile of a silent row where there is such."""
    (x, y), (width, height) = at, _LEGEND_PX
    font = ImageFont.load_default(_FONT_PX)
    first = 1 if palette.silent else 0
    for offset in range(width):
        level = first + offset * (255 - first) // (width - 1)
        draw.line((x + offset, y, x + offset, y + height), colours[level])
    draw.rectangle((x, y, x + width - 1, y + height), None, _FAINT)
    below = y + height + 6
    draw.text((x, below), palette.low, _FAINT, font, anchor="la")
    draw.text((x + width / 2, below), palette.middle, _FAINT, font, anchor="ma")
    draw.text((x + width, below), palette.high, _FAINT, font, anchor="ra")
    if palette.silent:
        tile = (x + width + 40, y, x + width + 40 + height, y + height)
        draw.rectangle(tile, _SILENT, _FAINT)
        draw.text((x + width + 50 + height, y + height / 2), "silent", _FAINT, font, anchor="lm")


def _write_upright(
    canvas: Image.Image,
    text: str,
    font: "ImageFont.ImageFont | ImageFont.FreeTypeFont",
    foot: tuple[int, int],
) -> None:
    """Write text from below upwards, its beginning above `foot`."""
    strip = Image.new("L", (_width(font, text) + 4, _FONT_PX + 8), 0)
    ImageDraw.Draw(strip).text((0, strip.height / 2), text, 255, font, anchor="lm")
    upright = strip.transpose(Image.Transpose.ROTATE_90)
    canvas.paste(_INK, (foot[0] - upright.width // 2, foot[1] - upright.height), upright)


def _width(font: "ImageFont.ImageFont | ImageFont.FreeTypeFont", text: str) -> int:
    return int(font.getlength(text)) + 1


def _encode(canvas: Image.Image) -> bytes:
    buffer = BytesIO()
    # 256 colours: a third of the size, and no shade moves by more than an eye can tell.
    canvas.quantize(256, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
