"""Pictures as PNG."""

from io import BytesIO

import numpy as np
import pytest
from fwid_agent.report.pictures import (
    DIFFERENCE,
    GREY,
    Axes,
    Palette,
    render_picture,
    select_rows,
    speaking_rows,
)
from fwid_agent.types import U1
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

# How far a colour may move when the file is made small.
TOLERANCE = 16


def decode(png: bytes) -> np.ndarray:
    """RGB pixels [height, width, 3] as integers."""
    return np.asarray(Image.open(BytesIO(png)).convert("RGB")).astype(int)


def axes_of(image: U1) -> Axes:
    return Axes(
        tuple(f"row {row}" for row in range(image.shape[0])),
        tuple(f"column {column}" for column in range(image.shape[1])),
    )


def contains(pixels: np.ndarray, colour: tuple[int, int, int]) -> bool:
    """Whether a tile of the colour (and not a stray pixel) is in the picture."""
    near = (np.abs(pixels - np.array(colour)) <= TOLERANCE).all(axis=2)
    tile = np.lib.stride_tricks.sliding_window_view(near, (20, 20))
    return bool(tile.all(axis=(2, 3)).any())


@pytest.mark.parametrize(
    ("palette", "level", "colour"),
    [
        (GREY, 0, (233, 236, 240)),
        (GREY, 1, (0, 0, 0)),
        (GREY, 128, (127, 127, 127)),
        (DIFFERENCE, 0, (5, 64, 132)),
        (DIFFERENCE, 128, (242, 242, 240)),
        (DIFFERENCE, 255, (122, 4, 34)),
    ],
)
def test_a_level_has_its_colour(palette: Palette, level: int, colour: tuple[int, int, int]) -> None:
    """A silent row is never taken for one with little, nor "as always" for any change."""
    image = np.full((2, 3), level, np.uint8)
    pixels = decode(render_picture(image, axes_of(image), "", palette))

    assert contains(pixels, colour)


def test_each_cell_lies_where_its_names_say() -> None:
    """One white cell among black ones: its tile is in the row and column of its names."""
    image = np.ones((4, 5), np.uint8)
    image[2, 3] = 255
    axes = Axes(("", "", "", ""), ("", "", "", "", ""))
    pixels = decode(render_picture(image, axes, ""))
    dark = (pixels.max(axis=2) < TOLERANCE).astype(int)
    rows, columns = np.nonzero(dark)
    height, width = rows.max() + 1 - rows.min(), 28 * 5
    tile = pixels[rows.min() + 2 * 28 + 10, columns.min() + 3 * 28 + 10]

    assert height >= 28 * 4 - 2
    assert width == 140
    assert (tile > 255 - TOLERANCE).all()
    assert (pixels[rows.min() + 10, columns.min() + 10] < TOLERANCE).all()


def test_names_take_the_room_that_they_need() -> None:
    """Long names make a larger picture; they are not cut."""
    image = np.ones((2, 2), np.uint8)
    short = decode(render_picture(image, Axes(("a", "b"), ("c", "d")), "t"))
    tall = decode(render_picture(image, Axes(("a", "b"), ("c" * 40, "d")), "t"))
    wide = decode(render_picture(image, Axes(("a" * 90, "b"), ("c", "d")), "t"))
    titled = decode(render_picture(image, Axes(("a", "b"), ("c", "d")), "t" * 200))

    assert tall.shape[0] > short.shape[0]
    assert wide.shape[1] > short.shape[1]
    assert titled.shape[1] > short.shape[1]


def test_rows_in_which_nothing_is_can_be_left_out() -> None:
    """Rows that are silent before and after say nothing; one that speaks once stays."""
    before, after = np.zeros((3, 2), np.uint8), np.zeros((3, 2), np.uint8)
    before[1, 0] = 7
    after[2, 1] = 9
    kept = speaking_rows([before, after], silent=0)
    image, axes = select_rows(after, axes_of(after), kept)

    assert kept.tolist() == [False, True, True]
    assert axes.rows == ("row 1", "row 2")
    assert image.tolist() == [[0, 0], [0, 9]]


def test_axes_of_another_picture_are_refused() -> None:
    """A picture with the wrong names would be worse than none."""
    image = np.zeros((2, 2), np.uint8)
    with pytest.raises(ValueError, match="axes of 3 x 2"):
        render_picture(image, Axes(("a", "b", "c"), ("d", "e")), "")


@settings(max_examples=25)
@given(
    arrays.arrays(np.uint8, st.tuples(st.integers(0, 3), st.integers(0, 3))),
    st.text(max_size=30),
    st.booleans(),
)
def test_any_picture_and_any_title_can_be_drawn(image: U1, title: str, grey: bool) -> None:
    """An empty picture or a title with line breaks is no reason to fail."""
    png = render_picture(image, axes_of(image), title, GREY if grey else DIFFERENCE)
    assert decode(png).shape[2] == 3
