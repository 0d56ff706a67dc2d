"""What a reader sees of a benchmark: a page of tables and a plot, both made from the saved numbers alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from homotopy import markdown
from homotopy.figures import common, looks


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.2g}" if abs(value) < 1 else f"{value:.3g}"


def cell(value: Any) -> str:
    """Return a table cell: a spread as median and quartiles."""
    if isinstance(value, dict):
        return f"{_number(value['median'])} ({_number(value['q25'])} to {_number(value['q75'])})"
    return str(value)


def table(section: dict[str, Any]) -> str:
    """Return a section's heading, text and table in Markdown."""
    lines = [[cell(value) for value in row] for row in section["rows"]]
    text = " ".join(filter(None, [section["text"], _made(section.get("made"))]))
    return f"## {section['title']}\n\n{text}\n\n{markdown.table(section['columns'], lines)}"


def _made(present: dict[str, Any] | None) -> str:
    """Return when a section was measured, and with what; nothing of one that was saved without that."""
    if present is None:
        return ""
    packages = ", ".join(f"{name} {version}" for name, version in present["packages"].items() if version)
    return f"Measured on {present['date']} with {present['threads']} threads, Python {present['python']}, {packages}."


def page(measured: dict[str, Any]) -> str:
    """Return the whole Markdown page."""
    about = measured["machine"]
    devices = ", ".join([about["processor"], f"{about['cores']} cores", *about["gpus"]])
    head = (
        f"# Speed on {devices}\n\n"
        f"Made by `make bench`: the contestants of a table take turns in one run; numbers are medians of ratios taken "
        f"turn by turn, with their quartiles. {about['memory_gib']} GiB, {about['instructions']}.\n"
    )
    return "\n".join([head, *(table(section) for section in measured["sections"])])


def plot(measured: dict[str, Any], path: Path) -> None:
    """Draw the cost against the number of seeds to `path`, PNG and PDF."""
    rows = next(section["rows"] for section in measured["sections"] if section["name"] == "seeds")
    figure, (axes,) = common.subplots()
    styles = {"fused ensemble": looks.COLOURS["homotopy"], "stacked autograd": looks.COLOURS["warmstart"]}
    for name, colour in styles.items():
        chosen = [(count, spread) for solver, count, spread in rows if solver == name]
        counts = [count for count, _ in chosen]
        median, low, high = ([spread[key] for _, spread in chosen] for key in ("median", "q25", "q75"))
        common.line(axes, counts, (median, low, high), marker="o", colour=colour, markersize=3, label=name)
    axes.set(xscale="log", xlabel="seeds trained together", ylabel="time per seed / plain loop")
    axes.set_ylim(bottom=0)
    axes.legend()
    common.save(figure, path)
