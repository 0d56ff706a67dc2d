"""The screen's best settings, its pick and its counts, on made-up results by the rules of docs/images.md."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from homotopy import compose, config
from homotopy.report import rules, screen
from homotopy.report.screen import Case
from homotopy.results import images
from homotopy.results.library import Library, Place, Result

TARGET = "FashionMNIST"
GLOROT, DEFAULT = "glorot_zero_bias", "pytorch_default"
NETWORKS = {
    "vgg_small": ([[16], [32], [64]], []),
    "VGG-11": ([[8], [16], [32, 32], [64, 64], [64, 64]], [512, 512]),
    "VGG-16": ([[8, 8], [16, 16], [32] * 3, [64] * 3, [64] * 3], [512, 512]),
}


CLAIMS = {claim.id: claim for claim in rules.read().claims}


def screened(results):
    return screen.screen(results, rules.read())


@pytest.fixture(scope="module")
def settings():
    """Five of the twelve settings of a network."""
    search = "search=batch_16,batch_32,source_3,path_4_2_fixed,path_5_1"
    return [config.from_dict(raw) for raw in compose.jobs(["experiment=screen_fashion", "profile=smoke", search])]


@pytest.fixture
def made(settings):
    """Return a function that makes a result of every network, initialisation and setting from its curves."""

    def make(curve, seeds=(0, 1, 2), inits=(GLOROT, DEFAULT)):
        found = []
        for name, (stages, hidden) in NETWORKS.items():
            for init in inits:
                for of in settings:
                    model = replace(of.model, stages=stages, hidden=hidden, init=init)
                    each = replace(of, model=model, seeds=(0, 1, 2))
                    rows = [
                        (seed, epoch, 1.0, "final", 7.0, loss, 1.0, 0.5)
                        for seed in seeds
                        for epoch, loss in enumerate(curve(each, name), 1)
                    ]
                    columns = ["seed", "epoch", "lam", "phase", "train_loss", "target_loss", "test_loss", "accuracy"]
                    found.append(Result(each, pd.DataFrame(rows, columns=columns)))
        return found

    return make


def constant(losses):
    return lambda of, name: [losses(of, name)] * 10


def test_the_best_setting_has_the_least_median_area(made):
    def curve(of, name):  # batches of 16 end lower, batches of 32 have the smaller area
        return [8.0] * 7 + [0.4] * 3 if of.batch_size == 16 else [1.0] * 5 + [0.5] * 5

    found = screened(made(curve))
    best = found.best[Case("FashionMNIST", "VGG-11", GLOROT), "random"]
    assert (best["setting"], best["area"], best["epochs"], best["n"]) == (
        "batches of 32", pytest.approx(0.5**0.5), np.inf, 3
    )  # fmt: skip
    assert best["loss"] == 0.5 and best["objective"] == 7.0
    other = found.table.query("setting == 'batches of 16'")
    assert set(other["epochs"]) == {8.0} and set(other["loss"]) == {0.4} and not other["best"].any()


def test_a_method_without_all_of_its_seeds_has_no_best_setting(made):
    results = made(constant(lambda of, name: 1.0))
    assert "random" in {method for _, method in screened(results).best}
    for i, each in enumerate(results):
        if each.config.batch_size == 16:
            results[i] = Result(each.config, each.curves[each.curves["seed"] != 2])
    found = screened(results)
    assert {method for _, method in found.best} == {"warmstart", "homotopy"}
    assert screen.picked(found) == {}


def test_the_pick_is_what_trains_best_from_random_initialisation(made):
    def losses(of, name):
        if of.method.name != "random":
            return 0.01 if (name, of.model.init) == ("VGG-11", DEFAULT) else 2.0  # no method but random counts
        table = {("VGG-16", GLOROT): 0.3, ("VGG-11", GLOROT): 0.4, ("VGG-16", DEFAULT): 2.3, ("VGG-11", DEFAULT): 2.3}
        return table.get((name, of.model.init), 0.1) * of.batch_size  # vgg_small is best, and no candidate

    assert screen.picked(screened(made(constant(losses)))) == {"FashionMNIST": Case("FashionMNIST", "VGG-16", GLOROT)}


def test_the_final_path_is_a_fifth_of_the_final_epochs_at_most(made, monkeypatch):
    found = made(constant(lambda of, name: of.schedule.gamma))  # the path of 4 x 2 epochs is the best
    chosen = screen.chosen(screened(found))
    assert chosen["FashionMNIST", "homotopy"] == "gamma 4, k 2, fixed"
    assert chosen["FashionMNIST", "random"] == "batches of 16"  # the first of equals
    monkeypatch.setitem(screen.FINAL_EPOCHS, "FashionMNIST", 39)
    assert screen.chosen(screened(found)) == chosen | {("FashionMNIST", "homotopy"): "gamma 5, k 1, random"}


def test_settings_are_counted_by_ratios_of_medians(made):
    def losses(of, name):
        ratio = {"vgg_small": 1.0, "VGG-11": 1.2, "VGG-16": 2.0}[name]
        return 0.3 * {"homotopy": 1.0, "random": ratio, "warmstart": ratio}[of.method.name]

    found = screened(made(constant(losses)))
    faster, comparable = CLAIMS["fashion-faster"], CLAIMS["fashion-comparable"]
    assert screen.count(found, faster, ["area"]) == (4, 6, 0)  # at least 1.1
    assert screen.count(found, faster, ["epochs"]) == (2, 6, 0)  # twice 0.3 never comes to 0.4
    assert screen.count(found, faster) == (2, 6, 0)  # in both measures
    assert screen.count(found, comparable) == (4, 6, 0)  # within 1.25
    assert screen.counts(found) == {"fashion-faster": (2, 6, 0), "fashion-comparable": (4, 6, 0)}


@pytest.mark.parametrize(
    ("claim", "ratio", "expected"),
    [
        ("fashion-faster", 1.1, True),
        ("fashion-faster", 1.09, False),
        ("fashion-comparable", 1.25, True),
        ("fashion-comparable", 1.26, False),
        ("fashion-comparable", 0.8, True),
        ("fashion-comparable", 0.79, False),
        ("fashion-comparable", float("nan"), False),
    ],
)
def test_a_ratio_shows_what_is_claimed_from_the_margin_on(claim, ratio, expected):
    assert screen.shows(CLAIMS[claim], ratio) == expected


def test_where_neither_comes_to_the_loss_there_is_no_ratio_and_nothing_shows(made):
    found = screened(made(constant(lambda of, name: 1.0)))
    comparable = CLAIMS["fashion-comparable"]
    assert np.isnan(screen.ratios(found, found.cases[0], comparable)["epochs"])
    assert screen.count(found, comparable, ["area", "loss"]).shows == 6
    assert screen.count(found, comparable).shows == 0


def test_what_is_missing_is_said(made):
    results = [each for each in made(constant(lambda of, name: 1.0)) if each.config.batch_size == 32]
    empty = [
        Result(each.config, each.curves.iloc[:0]) if each.config.model.init == DEFAULT else each for each in results
    ]
    text = screen.text(screened(empty))
    assert "0 of 3 (3 of 6 not complete)" in text and DEFAULT not in text
    assert screen.text(screened([])) == "No results yet.\n"


def test_the_text_marks_what_is_picked(made):
    def losses(of, name):
        return 1.0 if (name, of.model.init) == ("VGG-11", GLOROT) else 2.0

    marked = [line for line in screen.text(screened(made(constant(losses)))).splitlines() if "**" in line]
    assert len(marked) == 1 and "**VGG-11** | **glorot_zero_bias** | 1 (batches of 16) | 1 (source 3)" in marked[0]
    assert "| FashionMNIST | batches of 16 | source 3 | gamma 4, k 2, fixed |" in screen.text(
        screened(made(constant(losses)))
    )


def test_the_questions_on_fashion_train_the_cases_of_the_committed_screen_that_they_name():
    """The slowest of the deep networks, and the only case whose medians show both parts of the claim."""
    library = Library(Place(Path(__file__).parents[2] / "results", "paper"))
    found = screened(library.results("screen_fashion", "screen_glorot"))
    deep = [case for case in found.cases if case.network in screen.CANDIDATES]
    slowest = max(deep, key=lambda case: found.best[case, "random"]["area"])
    (as_claimed,) = [case for case in found.cases if all(shown(found, case, claim) for claim in found.claims[TARGET])]
    of_the_screen = [job.config for job in library.jobs("screen_fashion")]
    for name, asked in (("slow_fashion", slowest), ("glorot_fashion", as_claimed)):
        configs = [job.config for job in library.jobs(name)]
        assert {screen.case_of(each) for each in configs} == {asked}
        assert {each.method.name: images.setting(each) for each in configs} == {
            method: found.best[asked, method]["setting"] for method in ("random", "warmstart", "homotopy")
        }
        data = [{(c.task.images, c.task.samples, c.epochs) for c in each} for each in (configs, of_the_screen)]
        assert data[0] == data[1] == {("embedded", 5000, 40)}
        assert {each.seeds for each in configs} == {tuple(range(10))}


def test_the_question_on_cifar_10_trains_the_screen_s_settings_and_both_methods_from_the_same_sources():
    library = Library(Place(Path(__file__).parents[2] / "results", "paper"))
    configs = [job.config for job in library.jobs("slow_cifar")]
    (case,) = {screen.case_of(each) for each in configs}
    found = screened(library.results("screen_cifar")).best
    assert (case.network, case.init) == ("VGG-11", DEFAULT)
    for method in ("random", "homotopy"):
        settings = {images.setting(each) for each in configs if each.method.name == method}
        assert settings == {found[case, method]["setting"]}
    sources = {
        method: [each.budget.source for each in configs if each.method.name == method]
        for method in ("warmstart", "homotopy")
    }
    assert sources["warmstart"] == sources["homotopy"] == [5, 10]
    assert found[case, "warmstart"]["setting"] == "source 10"
    of_the_screen = {job.config.folder for job in library.jobs("screen_cifar")}
    assert len({each.folder for each in configs} - of_the_screen) == 1  # the homotopy after ten epochs on the source
    assert {each.seeds for each in configs} == {tuple(range(10))}


def test_the_screen_s_networks_have_names_and_others_have_none():
    def name(*model):
        (raw,) = compose.jobs(["task=mnist_cifar", *model])
        return images.network(config.from_dict(raw))

    named = [name(f"model={each}") for each in ("vgg_small", "vgg11_narrow", "vgg16_narrow")]
    assert named == ["vgg_small", "VGG-11", "VGG-16"]
    others = [name("model=vgg11"), name("model=vgg16"), name("model=vgg_small", "model.stages=[[8],[8],[8]]")]
    assert not {*named} & {*others} and len({*others}) == 3


def shown(found, case, claim):
    return all(screen.shows(claim, ratio) for ratio in screen.ratios(found, case, claim).values())


def test_a_target_s_figure_trains_what_the_committed_screen_picked():
    library = Library(Place(Path(__file__).parents[2] / "results", "paper"))
    found = screened(library.results(*screen.EXPERIMENTS))
    picked, chosen = screen.picked(found), screen.chosen(found)
    assert set(picked) == set(screen.FINAL)
    for target, case in picked.items():
        configs = [job.config for job in library.jobs(screen.FINAL[target])]
        assert {screen.case_of(each) for each in configs} == {case}
        assert {each.epochs for each in configs} == {screen.FINAL_EPOCHS[target]}
        assert {(each.method.name, images.setting(each)) for each in configs} == {
            (method, setting) for (of, method), setting in chosen.items() if of == target
        }
        assert {each.batch_size for each in configs if each.method.name != "random"} == {32}
        samples = {(each.seeds, each.task.samples, each.task.evaluated, each.task.test_samples) for each in configs}
        assert samples == {(tuple(range(10)), 20_000, 10_000, None)}
