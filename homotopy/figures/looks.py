"""For a method the same colour, dashes and marker everywhere.

The colours are safe for colour-blind readers; dashes and markers tell the methods apart in grey print.
"""

from __future__ import annotations

from typing import Any

# Okabe and Ito's palette
PALETTE = BLUE, SKY, GREEN, VERMILLION, PURPLE, ORANGE = (
    "#0072B2", "#56B4E9", "#009E73", "#D55E00", "#CC79A7", "#E69F00",
)  # fmt: skip
COLOURS = {"homotopy": BLUE, "warmstart": VERMILLION, "random": GREEN}
COLOURS |= {"random_homotopy": PURPLE, "amplitude": ORANGE, "adaptive": SKY, "secant": "#000000", "frequency": PURPLE}
OTHERS = (SKY, PURPLE, ORANGE, "#000000")  # for what is drawn beside homotopy, warm start and random initialisation
DASHES: dict[str, Any] = {
    "homotopy": "-",
    "warmstart": (0, (4, 1.3)),
    "random": (0, (1, 1.1)),
    "frequency": (0, (4, 1, 1, 1)),
    "random_homotopy": (0, (6, 1.2, 1, 1.2)),
    "amplitude": (0, (2, 1)),
    "adaptive": (0, (7, 1.3)),
    "secant": (0, (4, 1, 1, 1, 1, 1)),
}
MARKERS = {"homotopy": "o", "warmstart": "s", "random": "^", "frequency": "D", "amplitude": "v"}
MARKERS |= {"random_homotopy": "P", "adaptive": "X", "secant": "*"}
