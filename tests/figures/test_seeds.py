"""Figures that show the seeds: thin lines and dots are runs.csv.gz, heavy lines median.csv, counts are counted."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import rgb_to_hsv, to_rgb
from PIL import Image

from homotopy.errors import ResultError
from homotopy.figures import common, ends, fig1, fig3, looks, names
from homotopy.figures.registry import FIGURES
from homotopy.report import overview, rules
from homotopy.results.files import MEDIANS, csv_bytes
from homotopy.results.folder import KEYS, RunFolder
from homotopy.results.library import Place, tasks
from homotopy.results.methods import LABELS, METHODS
from homotopy.results.statistics import band, median_curves, settling
from tests.machine import ROOT
from tests.made import save_experiment

COMMITTED = Place(ROOT / "results", "paper")
ENDS = {"random": [0.5, 0.4, 0.3, 0.009], "warmstart": [0.5, 0.009, 0.009, 0.009], "homotopy": [0.001] * 4}


@pytest.fixture
def axes():
    (found,) = common.subplots()[1]
    yield found
    plt.close(found.figure)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    place = Place(tmp_path_factory.mktemp("results"), "smoke", ("seeds=4",))
    save_experiment("fig1", place, lambda config, seed: ENDS[config.method.name][seed])
    return place


def test_every_committed_median_is_the_one_of_the_committed_runs():
    folders = [path.parent for path in COMMITTED.folder.glob(f"*/*/{MEDIANS}")]
    assert len(folders) > 20
    for folder in folders:
        runs = RunFolder(folder).runs()
        derived = median_curves(runs, [column for column in runs.columns if column not in KEYS])
        assert csv_bytes(derived) == (folder / MEDIANS).read_bytes(), folder


def test_heavy_lines_are_median_csv_and_thin_ones_runs_csv(axes):
    results = tasks("fig1", COMMITTED)[0][1]
    drawn = fig1.curves(axes, results, "target_loss")
    thin = [each for each in axes.collections if isinstance(each, LineCollection)]
    for found, lines in zip(results, thin, strict=True):
        saved = pd.read_csv(found.config.folder / MEDIANS).query("metric == 'target_loss'")
        heavy = drawn[LABELS[found.config.method.name]]
        np.testing.assert_array_equal(heavy.get_xydata(), saved[["epoch", "median"]])
        runs = pd.read_csv(found.config.folder / "runs.csv.gz").sort_values(["seed", "epoch"])
        segments = lines.get_segments()
        assert len(segments) == found.seeds > 1
        np.testing.assert_array_equal(np.concatenate(segments), runs[["epoch", "target_loss"]])


def test_medians_of_fewer_seeds_than_the_folder_has_are_computed(made):
    few = Place(made.results, "smoke", ("seeds=2",))
    for place in (made, few):
        for found in tasks("fig1", place)[0][0]:
            for ours, theirs in zip(found.band("target_loss"), band(found.table("target_loss")), strict=True):
                np.testing.assert_allclose(ours, theirs, rtol=1e-5)
    random_of = {place: tasks("fig1", place)[0][0][0] for place in (made, few)}
    assert random_of[few].seeds == 2 and random_of[few].band("target_loss")[0][-1] == pytest.approx(0.45)
    assert random_of[made].band("target_loss")[0][-1] == pytest.approx(0.35)


def test_a_running_median_takes_out_flicker_and_keeps_steps():
    step = np.array([8.0, 8, 8, 8, 8, 2, 2, 2, 2, 2])
    flicker = step + 50 * (np.arange(10) == 3)
    assert fig1.running(flicker, 5).tolist() == step.tolist()
    assert fig1.running(np.stack([step, flicker]), 5).tolist() == [step.tolist()] * 2
    assert fig1.running(flicker, 1).tolist() == flicker.tolist()


def test_the_strip_shows_every_seeds_median_of_the_last_100_epochs(axes):
    results = tasks("fig1", COMMITTED)[0][1]
    ends.strip(axes, results, "target_loss", below=0.01)
    dots = [line for line in axes.lines if line.get_linestyle() == "None"]
    for found, line, share in zip(results, dots, axes.get_xticklabels(), strict=True):
        last = found.curves[found.curves["epoch"] > found.config.epochs - 100].groupby("seed")["target_loss"]
        assert line.get_ydata() == pytest.approx(last.median())
        assert line.get_ydata() != pytest.approx(last.last())
        assert share.get_text() == rf"$\dfrac{{{(last.median() < 0.01).sum()}}}{{{found.seeds}}}$"
    assert "100" in axes.get_title()


def test_the_strip_counts_who_solves_the_task(made, axes):
    ends.strip(axes, tasks("fig1", made)[0][0], "target_loss", below=ends.solved())
    counts = [text.get_text() for text in axes.get_xticklabels()]
    assert counts == [rf"$\dfrac{{{n}}}{{4}}$" for n in (1, 3, 4)]
    assert f"below {ends.solved():g}" in axes.get_xlabel()


def test_a_seed_that_diverged_counts_in_n(axes):
    assert ends._share(np.array([np.inf, 0.001]), 0.01) == r"$\dfrac{1}{2}$"


def test_many_seeds_are_drawn_fainter_than_few(axes):
    for n in (3, 10, 100):
        common.seeds(axes, np.arange(5.0), np.ones((n, 5)), colour="black")
    few, some, many = (each.get_alpha() for each in axes.collections)
    assert 1 > few >= some > many > 0.1


def test_lam_is_written_over_the_epochs_in_which_it_holds(made, axes):
    results = tasks("fig1", made)[0][0]
    fig1.path(axes, results)
    steps = results[METHODS.index("homotopy")].config.steps()
    written = {float(text.get_text().split("=")[-1]): text.get_position()[0] for text in axes.texts}
    held = {step.lam: step.epochs for step in steps if not step.final}
    assert 1.0 in written and len(written) > 1
    for lam, epoch in written.items():
        assert held[lam].start - 1 <= epoch <= held[lam].stop - 1


def test_without_a_homotopy_there_is_no_path(made, axes):
    fig1.path(axes, tasks("fig1", made)[0][0][:2])
    assert not axes.texts and not axes.lines and not axes.patches


def test_a_name_stands_at_its_own_line_and_on_no_other(axes):
    x = np.linspace(1, 100, 50)
    lines = {name: axes.plot(x, level + 0 * x)[0] for name, level in (("low", 1.0), ("middle", 2.0), ("high", 8.0))}
    axes.set_ylim(0, 10)
    names.at_lines(axes.figure, [(axes, lines)])
    frames = [text.get_window_extent() for text in axes.texts]
    for text, frame in zip(axes.texts, frames, strict=True):
        heights = {name: axes.transData.transform((50, line.get_ydata()[0]))[1] for name, line in lines.items()}
        assert not any(frame.y0 < height < frame.y1 for height in heights.values())
        middle = (frame.y0 + frame.y1) / 2
        assert min(heights, key=lambda name: abs(heights[name] - middle)) == text.get_text()
        assert not any(frame.overlaps(other) for other in frames if other is not frame)


def test_a_line_without_a_number_gets_no_name(axes):
    names.at_lines(axes.figure, [(axes, {"nothing": axes.plot([1, 2], [np.nan, np.inf])[0]})])
    assert not axes.texts


def test_the_accuracys_axis_holds_what_comes_after_the_path():
    results = tasks("fig3a", COMMITTED)[0][0]
    low, high = fig3.after_the_path(results, "accuracy")
    start = results[-1].config.steps()[-1].epochs.start
    for found in results:
        late = found.table("accuracy")[:, found.epochs >= start]
        assert low < late.min() and late.max() < high
    assert low > min(found.table("accuracy").min() for found in results)


def test_methods_differ_in_colour_and_in_grey_print():
    for each in (looks.COLOURS, looks.DASHES, looks.MARKERS):
        assert set(each) == set(LABELS)
        assert len({str(each[method]) for method in METHODS}) == len(METHODS)


def test_a_verdict_is_never_in_a_methods_colour():
    hues = [rgb_to_hsv(to_rgb(looks.COLOURS[method])) for method in METHODS]
    verdicts = [rgb_to_hsv(to_rgb(colour)) for colour in overview.COLOURS.values()]
    for hue, saturation, _ in verdicts:
        apart = [abs((hue - other + 0.5) % 1 - 0.5) for other, _, _ in hues]
        assert saturation < 0.1 or min(apart) > 0.05


def test_solved_and_settled_are_what_the_rules_say():
    book = rules.read()
    assert ends.solved() == book.solved and settling(1e6) == book.settled


def test_what_is_said_about_a_figure_is_in_its_file_and_not_on_it(tmp_path):
    figure, _ = common.subplots()
    png, pdf = common.save(figure, tmp_path / "figure", "MNIST: official files, checksums be035a44")
    assert Image.open(png).text["Description"] == "MNIST: official files, checksums be035a44"
    assert b"checksums be035a44" in pdf.read_bytes()
    assert Image.open(png).width == round(300 * common.WIDTH)


@pytest.mark.parametrize(
    ("figure", "given"),
    [
        ("omega_gamma", ["method=homotopy"]),
        ("omega_gamma", ["method=warmstart"]),
        ("map", ["method=random"]),
        ("learning", ["method=random"]),
    ],
)
def test_a_figure_without_one_of_its_methods_is_one_line(figure, given, tmp_path):
    place = Place(tmp_path, "smoke", tuple(given))
    save_experiment({"learning": "fig1"}.get(figure, figure), place, lambda of, seed: 0.1, seeds=1)
    with pytest.raises(ResultError):
        FIGURES[figure](place)
