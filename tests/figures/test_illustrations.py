from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from homotopy import compose
from homotopy.errors import ConfigError, ResultError
from homotopy.figures import common, fig4, fig5, fig7, fig9, figc, illustrations, looks
from homotopy.job import parse
from homotopy.results.library import Place, result
from homotopy.theory import gaussian_filter, study
from homotopy.training import runner

FILTER = {"repetitions": 20, "filter_repetitions": 2, "seed": 0, "files": ["filter_error", "filter_ends"]}


def job(experiment, tmp_path):
    return parse(compose.jobs([f"experiment={experiment}", "profile=smoke", f"results.root={tmp_path}"])[0])


def test_both_homotopies_are_densities_and_agree_at_the_ends():
    rows = illustrations.densities()
    mass = rows.groupby(["homotopy", "lam"])["density"].sum() * 0.01
    assert np.all(np.abs(mass - 1) < 2e-3)
    by_name = {name: part.reset_index(drop=True) for name, part in rows.groupby("homotopy")}
    for lam in (0.0, 1.0):
        ends = [part.loc[part["lam"] == lam, "density"] for part in by_name.values()]
        assert ends[0].to_numpy() == pytest.approx(ends[1].to_numpy())


def test_the_mixtures_maximum_jumps_and_the_moving_densitys_maximum_moves():
    rows = illustrations.densities()
    top = rows.loc[rows.groupby(["homotopy", "lam"])["density"].idxmax()].set_index(["homotopy", "lam"])["x"]
    assert top["mixture"].tolist() == pytest.approx([1, 5, 5, 5, 5], abs=0.02)
    assert top["parameters"].tolist() == pytest.approx([1, 2, 3, 4, 5], abs=0.02)


def test_the_sine_data_are_the_tasks_own(tmp_path):
    illustrations.compute(job("fig7", tmp_path))
    rows = pd.read_csv(tmp_path / "smoke/illustrations/fig7.csv.gz")
    assert set(rows["omega"]) == {1.0, 137.0}
    assert np.abs(rows["y"] - np.sin(rows["omega"] * rows["x"])).max() < 0.06  # six standard deviations of the noise


def test_the_deformed_sines_go_from_source_to_target(tmp_path):
    illustrations.compute(job("fig5", tmp_path))
    rows = pd.read_csv(tmp_path / "smoke/illustrations/fig5.csv.gz")
    exact = rows[rows["deformation"] == "linear_targets"]
    assert sorted(rows["lam"].unique()) == pytest.approx(np.arange(21) / 20)
    for lam, omega in ((0.0, 1), (1.0, 137)):
        part = exact[exact["lam"] == lam]
        assert np.abs(part["y"] - np.sin(omega * part["x"])).max() < 0.06


def test_the_function_of_figure_5_goes_through_its_samples_and_reaches_its_peaks():
    rows = illustrations.deformed_sines(job("fig5", "unused").config.task)
    for lam in (0.0, 0.25, 1.0):
        function, samples = (
            rows[(rows["deformation"] == name) & (rows["lam"] == lam)] for name in ("function", "linear_targets")
        )
        x = function["x"]
        assert function["y"].to_numpy() == pytest.approx((1 - lam) * np.sin(x) + lam * np.sin(137 * x))
        between = np.interp(samples["x"], x, function["y"])
        assert np.abs(samples["y"] - between).max() < 0.06 + 0.007  # the noise, and an arc less its chord
    assert function["y"].max() > 0.999


def test_figure_5_draws_the_function_and_does_not_join_the_samples(tmp_path):
    rows = illustrations.deformed_sines(job("fig5", tmp_path).config.task)
    (axes,) = common.subplots()[1]
    lines = fig5._panel(axes, rows, "gaussian_filter", 0.5)
    assert lines[fig5.FUNCTION].get_linestyle() == "-" and len(lines[fig5.FUNCTION].get_xdata()) == 601
    assert lines["gaussian_filter"].get_linestyle() == "None" and len(lines["gaussian_filter"].get_xdata()) == 600
    plt.close(axes.figure)


def test_the_filter_has_a_colour_of_its_own():
    assert figc.FILTER not in {*looks.COLOURS.values(), *looks.PALETTE}
    assert figc.TRAINED["linear_targets"][1] == looks.COLOURS["homotopy"]


def test_an_unknown_illustration_is_named(tmp_path):
    with pytest.raises(ConfigError, match="illustration=fig3"):
        illustrations.chosen(replace(job("fig4", tmp_path), composed={"illustration": "fig3"}))


@pytest.mark.parametrize(("name", "task"), [("fig5", "fig6"), ("fig6", "fig7"), ("fig7", "fig6")])
def test_an_illustration_of_another_task_is_refused(name, task, tmp_path):
    with pytest.raises(ConfigError, match=f"task=.*{name}"):
        illustrations.chosen(replace(job(task, tmp_path), composed={"illustration": name}))


def test_illustrations_of_other_image_files_have_a_folder_each(tmp_path):
    def folder(*images):
        (raw,) = compose.jobs(["experiment=fig6", "profile=smoke", f"results.root={tmp_path}", *images])
        return illustrations.folder(parse(raw))

    assert len({folder(), folder("task.images=official"), folder("task.images=unofficial")}) == 3


@pytest.mark.parametrize("module", [fig4, fig5, fig7, fig9])
def test_a_figure_without_its_data_names_the_command_that_makes_them(module, tmp_path):
    name = module.__name__.rsplit(".", 1)[1]
    with pytest.raises(ResultError, match=f"experiment={name} profile=smoke"):
        module.draw(Place(tmp_path, "smoke"))


@pytest.mark.parametrize("module", [fig4, fig5, fig7])
def test_the_same_data_draw_the_same_bytes(module, tmp_path):
    name = module.__name__.rsplit(".", 1)[1]
    illustrations.compute(job(name, tmp_path))
    path = tmp_path / f"smoke/illustrations/{name}.csv.gz"
    if name == "fig5":  # fewer frames, which take most of the time
        rows = pd.read_csv(path)
        rows[(rows["lam"] * 4 % 1) == 0].to_csv(path, index=False)
    files = module.draw(Place(tmp_path, "smoke"))
    before = [path.read_bytes() for path in files]
    assert [path.read_bytes() for path in module.draw(Place(tmp_path, "smoke"))] == before
    assert {path.suffix for path in files} >= {".png", ".pdf"}
    assert all(path.stat().st_size < 2_000_000 for path in files)


def test_figure_9_is_drawn_from_its_experiment(tmp_path):
    study.measure(job("fig9", tmp_path))
    files = fig9.draw(Place(tmp_path, "smoke"))
    assert all(path.stat().st_size > 1000 for path in files)


def test_appendix_c_is_drawn_from_the_filters_error_and_two_trainings(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(gaussian_filter, "WIDTHS", (0.002, 0.004))
    monkeypatch.setattr(gaussian_filter, "SAMPLES", (50, 100, 200))
    place = Place(tmp_path, "smoke")
    with pytest.raises(ResultError, match="experiment=theory profile=smoke"):
        figc.draw(place)
    asked = job("theory", tmp_path)
    study.measure(replace(asked, composed=asked.composed | {"theory": FILTER}))
    trained = [tiny(f"task.deformation={name}", "task.filter_samples=30") for name in figc.TRAINED]
    for use in trained:
        runner.run(use)
    results = [result(use) for use in trained]
    monkeypatch.setattr(figc, "experiment", lambda name, place: results)
    assert all(path.exists() for path in figc.draw(place))
    monkeypatch.setattr(figc, "SMOOTH", 1)
    _, (axes,) = common.subplots()
    drawn = figc.training_panel(axes, place)
    for found, (label, _) in zip(results, figc.TRAINED.values(), strict=True):
        on_test = np.median(found.table("test_loss"), axis=0)
        np.testing.assert_allclose(drawn[label].get_ydata(), on_test[np.isfinite(on_test)], rtol=1e-5)
    assert "test" in axes.get_ylabel()
