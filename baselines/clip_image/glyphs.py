"""A bitmap font for the names of leads: no font file, so the pixels are the same on every machine."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

HEIGHT = 7
_BLANK = 1  # columns between two characters

_GLYPHS = {
    "I": "### .#. .#. .#. .#. .#. ###",
    "V": "#...# #...# #...# .#.#. .#.#. .#.#. ..#..",
    "a": ".... .... .##. ...# .### #..# .###",
    "R": "###. #..# #..# ###. #.#. #..# #..#",
    "L": "#... #... #... #... #... #... ####",
    "F": "#### #... #... ###. #... #... #...",
    "1": ".#. ##. .#. .#. .#. .#. ###",
    "2": ".##. #..# ...# ..#. .#.. #... ####",
    "3": ".##. #..# ...# .##. ...# #..# .##.",
    "4": "..#. .##. #.#. #.#. #### ..#. ..#.",
    "5": "#### #... ###. ...# ...# #..# .##.",
    "6": ".##. #... #... ###. #..# #..# .##.",
}


def lettering(text: str, scale: int = 1) -> npt.NDArray[np.bool_]:
    r"""Set a lead name in pixels.

    Parameters
    ----------
    text
        Made of the characters that names of the standard leads have.
    scale
        Pixels a dot.

    Returns
    -------
    bool ``[7 * scale, width]``, True where there is ink.

    Examples
    --------
    >>> print("\n".join("".join(".#"[dot] for dot in row) for row in lettering("V1").astype(int)))
    #...#..#.
    #...#.##.
    #...#..#.
    .#.#...#.
    .#.#...#.
    .#.#...#.
    ..#...###
    """
    gap = np.zeros((HEIGHT, _BLANK), dtype=bool)
    columns = [gap]
    for character in text:
        rows = _GLYPHS[character].split()
        columns += [np.array([[dot == "#" for dot in row] for row in rows]), gap]
    dots = np.hstack(columns[1:-1])
    return dots.repeat(scale, axis=0).repeat(scale, axis=1)
