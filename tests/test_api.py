"""The Python door gives what the runs give, to whoever has data or functions and no configuration."""

import json
import pickle
import subprocess
import sys
from dataclasses import replace

import matplotlib.pyplot
import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import homotopy
from homotopy import api, compose, config, keys
from homotopy.errors import ConfigError, ResultError, UserError
from homotopy.figures import looks
from homotopy.results.files import csv_bytes
from homotopy.results.locks import hold
from homotopy.solvers.mlp import MLP
from tests.conftest import TINY
from tests.machine import ROOT, command

matplotlib.use("Agg")
X = np.random.default_rng(0).uniform(size=60)
SHORT = {"k": 2, "final": 2, "source": 2, "gamma": 3, "seeds": 2, "batch_size": 16}
ONE_MODULE = nn.Linear(1, 1)
PAPERS = ["model.width=100", "model.depth=6"]  # the network that `fit` has without one of one's own


def hard(x):
    return np.sin(9 * x)


def fit(*data, **changed):
    return homotopy.fit(*(data or (X, np.sin, hard)), **(SHORT | changed))


def test_the_package_brings_torch_and_hydra_only_when_they_are_used():
    code = "import sys, homotopy; assert not {'torch', 'hydra', 'pandas', 'matplotlib'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
    assert set(homotopy.__all__) <= set(vars(api)) and not hasattr(homotopy, "fits")


@pytest.mark.parametrize("method", ["homotopy", "warmstart", "random"])
@pytest.mark.parametrize("decay", ["constant", "cosine"])
def test_fit_gives_every_digit_of_the_run_of_the_same_data_and_settings(tiny, method, decay):
    overrides = [f"method={method}", f"optimizer.decay={decay}", "seeds=[3,1]", "log_every=2"]
    of = tiny(*PAPERS, *overrides)
    expected = homotopy.run(*TINY, *PAPERS, *overrides, f"results.root={of.results}").curves
    data = [np.stack(part) for part in zip(*(of.task.draw(seed) for seed in of.seeds), strict=True)]
    (x, y_source, y_target), n = data, of.task.training_samples
    found = homotopy.fit(
        x[:, :n], y_source[:, :n], y_target[:, :n], test=(x[:, n:], y_target[:, n:]), method=method, decay=decay,
        gamma=of.schedule.gamma, k=of.budget.k, final=of.budget.final, source=of.budget.source, seeds=of.seeds,
        batch_size=of.batch_size, log_every=2,
    )  # fmt: skip
    assert csv_bytes(found.curves.sort_values(["seed", "epoch"])) == csv_bytes(expected)


def test_one_step_is_warm_start():
    one = fit(gamma=1, k=6).curves
    pd.testing.assert_frame_equal(one, fit(method="warmstart", gamma=3, k=2).curves, check_exact=True)
    assert not one.equals(fit(method="random", gamma=1, k=6).curves)


def test_a_seed_is_the_same_in_any_company_and_methods_share_the_random_start():
    alone, together = fit(seeds=[7]), fit(seeds=[2, 7])
    pd.testing.assert_frame_equal(
        alone.curves, together.curves.query("seed == 7").reset_index(drop=True), check_exact=True
    )
    assert torch.equal(alone.network(7)[0].weight, together.network(7)[0].weight)
    assert not torch.equal(alone.network(7)[0].weight, together.network(2)[0].weight)


@pytest.mark.parametrize("kind", [np.asarray, torch.as_tensor, list])
def test_arrays_tensors_lists_and_functions_are_the_same_data(kind):
    expected = fit().curves
    pd.testing.assert_frame_equal(fit(*(kind(v) for v in (X, np.sin(X), hard(X)))).curves, expected, check_exact=True)


@pytest.mark.parametrize(("inputs", "outputs"), [(1, 2), (3, 1), (2, 3)])
def test_any_number_of_inputs_and_outputs(inputs, outputs):
    x = np.random.default_rng(1).uniform(size=(60, inputs))
    weights = np.arange(1, outputs + 1)
    found = fit(x, lambda x: x.sum(1)[:, None] * weights, lambda x: np.sin(x.sum(1)[:, None] * weights))
    prediction = found.network(1)(torch.as_tensor(x, dtype=torch.float32))
    assert prediction.shape == (60, outputs)
    assert np.isfinite(found.curves["target_loss"]).all()


def test_the_trained_network_has_the_loss_that_was_recorded():
    x = np.linspace(0, 1, 33)
    found = fit(test=(x, hard))
    with torch.no_grad():
        predicted = found.network(1)(torch.as_tensor(x, dtype=torch.float32)[:, None])[:, 0]
    expected = found.curves.query("seed == 1")["test_loss"].iloc[-1]
    assert float((predicted - hard(torch.as_tensor(x))).square().mean()) == pytest.approx(expected, rel=1e-4)
    with pytest.raises(ResultError, match="seed 5"):
        found.network(5)


def test_the_path_is_the_schedule_s():
    def lams(**changed):
        return fit(seeds=1, k=1, final=0, **changed).curves["lam"].tolist()

    assert lams() == pytest.approx([1 / 3, 2 / 3, 1])
    assert lams(schedule=[0.2, 0.5, 1]) == [0.2, 0.5, 1]
    assert lams(schedule={"name": "geometric", "ratio": 0.5, "gamma": 2}) == pytest.approx([2 / 3, 1])
    assert lams(schedule={"name": "explicit", "values": [0.2, 0.5, 1]}) == [0.2, 0.5, 1]
    assert lams(method="random") == [1, 1, 1]


def test_a_module_of_ones_own_is_trained_and_returned():
    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Linear(1, 5)

        def forward(self, x):
            return self.inner(x).tanh().sum(-1, keepdim=True)

    found = fit(network=Own, test=(X, hard))
    assert isinstance(found.network(0), Own)
    x = torch.as_tensor(X, dtype=torch.float32)[:, None]
    loss = (found.network(0)(x)[:, 0] - torch.as_tensor(hard(X))).square().mean()
    assert float(loss.detach()) == pytest.approx(found.curves.query("seed == 0")["test_loss"].iloc[-1], rel=1e-4)


def test_what_a_module_has_frozen_stays_and_its_copies_share_nothing():
    def frozen():
        layers = nn.Sequential(nn.Linear(1, 5), nn.Tanh(), nn.Linear(5, 1))
        layers[0].requires_grad_(False)
        return layers

    found = fit(network=frozen)
    one, other, again = found.network(0), found.network(1), found.network(0)
    assert torch.equal(one[0].weight, other[0].weight) and not torch.equal(one[2].weight, other[2].weight)
    with torch.no_grad():
        one[2].weight.zero_()
    assert again[2].weight.abs().min() > 0 and torch.equal(found.network(0)[2].weight, again[2].weight)


def test_a_trained_module_has_the_buffers_that_it_was_trained_with():
    class Features(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("b", torch.from_numpy(np.random.default_rng().normal(size=(1, 8))).float())
            self.last = nn.Linear(8, 1)

        def forward(self, x):
            return self.last((x @ self.b).sin())

    found = fit(network=Features, test=(X, hard(X)))
    x = torch.tensor(X, dtype=torch.float32)[:, None]
    for seed, curve in found.curves.groupby("seed"):
        loss = (found.network(seed)(x)[:, 0] - torch.as_tensor(hard(X))).square().mean()
        assert float(loss.detach()) == pytest.approx(curve["test_loss"].iloc[-1], rel=1e-4)


def test_moments_that_start_anew_change_the_path_and_not_its_first_step():
    kept, reset = (fit(optimizer=replace(homotopy.Adam(), moments=name)).curves for name in ("keep", "reset"))
    first = kept["epoch"] <= SHORT["k"]
    pd.testing.assert_frame_equal(reset[first], kept[first], check_exact=True)
    assert (reset[~first]["train_loss"] != kept[~first]["train_loss"]).all()


def test_median_and_plot_show_the_curves():
    found = fit(seeds=3)
    last = found.curves.groupby("epoch")["target_loss"].median().iloc[-1]
    assert found.median().query("metric == 'target_loss'")["median"].iloc[-1] == pytest.approx(last)
    assert f"{last:.3g}" in repr(found) and "n = 3" in repr(found)
    matplotlib.pyplot.figure()  # not into what another test has left open
    axes = found.plot(label="mine")
    assert len(axes.lines) == 4 and axes.get_legend_handles_labels()[1] == ["mine"]
    assert axes.lines[0].get_ydata()[-1] == pytest.approx(last)
    colours = [found.plot(axes).lines[-1].get_color() for _ in range(5)]
    assert axes.lines[0].get_color() == looks.COLOURS["homotopy"]
    assert len({axes.lines[0].get_color(), *colours}) == 6  # and no line in warm start's colour, which may be drawn yet
    assert not {*colours} & {looks.COLOURS["warmstart"], looks.COLOURS["random"]}
    matplotlib.pyplot.close("all")


def test_numpys_numbers_are_numbers():
    plain = fit(k=1, gamma=2, seeds=range(2), batch_size=16)
    numpys = fit(k=np.int64(1), gamma=np.int64(2), seeds=np.arange(2), batch_size=np.int32(16))
    pd.testing.assert_frame_equal(numpys.curves, plain.curves, check_exact=True)


def test_runs_can_be_pickled_with_their_networks():
    found = fit()
    again = pickle.loads(pickle.dumps(found))
    pd.testing.assert_frame_equal(again.curves, found.curves)
    x = torch.tensor(X, dtype=torch.float32)[:, None]
    assert torch.equal(again.network(1)(x), found.network(1)(x))


@pytest.mark.parametrize(
    ("wrong", "key"),
    [
        ({"method": "best"}, "method"),
        ({"k": 0}, "budget.k"),
        ({"gamma": 0}, "schedule.gamma"),
        ({"schedule": [0.5, 0.9]}, "schedule"),
        ({"seeds": 0}, "seeds"),
        ({"batch_size": 0}, "batch_size"),
        ({"decay": "quick"}, "decay"),
        ({"device": "cuda:98"}, "runtime.device"),
        ({"test": (X[:, None].repeat(2, 1), hard(X))}, "test"),
        ({"network": nn.Linear(1, 1)}, "network"),
        ({"network": lambda: nn.Linear(2, 1)}, "network"),
        ({"network": lambda: nn.Linear(1, 2)}, "network"),
        ({"network": 3}, "network"),
        ({"network": lambda: lambda x: x}, "network"),
        ({"network": nn.Linear}, "network"),
        ({"network": nn.Identity}, "network"),
        ({"network": lambda: nn.LSTM(1, 1)}, "network"),
        ({"optimizer": replace(homotopy.Adam(), decay="cosine")}, "optimizer.decay"),
        ({"optimizer": "adam"}, "optimizer"),
        ({"optimizer": homotopy.SGD(-0.1)}, "optimizer.lr"),
        ({"dtype": torch.float16}, "dtype"),
        ({"device": "gpu"}, "device"),
        ({"device": torch.device("cpu")}, "device"),
        ({"device": 0}, "device"),
        ({"network": lambda: ONE_MODULE}, "network"),
        ({"schedule": 5}, "schedule"),
        ({"test": 5}, "test"),
    ],
)
def test_a_wrong_setting_is_named(wrong, key):
    with pytest.raises(ConfigError) as error:
        fit(**wrong)
    assert error.value.key == key


@pytest.mark.parametrize(
    ("data", "key"),
    [
        ((X, np.sin(X)[:-1], hard(X)), "y_source"),
        ((X, np.sin, lambda x: hard(x)[:, None].repeat(2, 1)), "y_target"),
        ((X, np.sin, np.full(60, np.nan)), "y_target"),
        ((X, np.sin, np.full(60, 1e39)), "y_target"),
        ((np.zeros((3, 60, 1)), np.sin, np.sin), "x"),
        ((np.zeros(0), np.sin, np.sin), "x"),
        ((["a", "b"], np.sin, np.sin), "x"),
    ],
)
def test_data_that_do_not_fit_are_named(data, key):
    with pytest.raises(ConfigError) as error:
        fit(*data)
    assert error.value.key == key


def test_the_methods_are_those_of_the_configuration():
    for name, (start, path) in api._SWITCHES.items():
        (raw,) = compose.jobs([f"method={name}"])
        assert (raw["method"]["start"], raw["method"]["path"]) == (start, path)
    assert set(api._SWITCHES) <= set(keys.names("method"))


def test_run_leaves_the_files_of_the_script_and_opens_them(tmp_path):
    settings = [*TINY, "method=warmstart", "save=true"]
    found = homotopy.run(*settings, f"results.root={tmp_path / 'ours'}")
    assert command("scripts/train.py", *settings, f"results.root={tmp_path / 'theirs'}").code == 0
    (ours,), (theirs,) = (list((tmp_path / name).glob("smoke/*/*")) for name in ("ours", "theirs"))
    assert ours.relative_to(tmp_path / "ours") == theirs.relative_to(tmp_path / "theirs")
    names = {path.name for path in theirs.iterdir() if not path.name.startswith(".")}
    assert names <= {path.name for path in ours.iterdir()} and "network-1.safetensors" in names
    for name in names - {"metadata.json", "SHA256SUMS"}:
        assert (ours / name).read_bytes() == (theirs / name).read_bytes(), name
    commands = [
        json.loads((folder / "metadata.json").read_text())["records"][0]["command"] for folder in (ours, theirs)
    ]
    assert commands[0].replace("/ours", "/theirs") == commands[1]
    opened = homotopy.load(theirs)
    pd.testing.assert_frame_equal(opened.curves, found.curves, check_exact=True)
    assert opened.label == found.label == "warm start"
    (raw,) = compose.jobs([*settings, f"results.root={tmp_path / 'ours'}"])
    task = config.from_dict(raw).task
    x, _, y = (part[task.training_samples :] for part in task.draw(1))
    with torch.no_grad():
        loss = (opened.network(1)(torch.as_tensor(x).float()) - torch.as_tensor(y)).square().mean()
    assert float(loss) == pytest.approx(found.curves.query("seed == 1")["test_loss"].iloc[-1], rel=1e-4)


def test_keeping_parameters_changes_neither_folder_nor_curves_and_a_finished_seed_says_that_its_own_are_lost(
    tmp_path, capsys
):
    settings = [*TINY, "method=random", f"results.root={tmp_path}"]
    before = homotopy.run(*settings, "seeds=1")
    with pytest.raises(ResultError, match="save=true"):
        before.network(0)
    after = homotopy.run(*settings, "seeds=2", "save=true")
    assert "1 seeds were finished without save=true" in capsys.readouterr().err
    pd.testing.assert_frame_equal(after.curves.query("seed == 0"), before.curves, check_exact=True)
    assert isinstance(after.network(1), nn.Sequential)


def test_a_method_of_ones_own_name_is_called_by_it(tmp_path):
    assert homotopy.run(*TINY, "method.name=mine", "seeds=1", f"results.root={tmp_path}").label == "mine"


def test_arrays_that_are_reversed_or_read_only_are_taken():
    values = np.sin(X)
    values.flags.writeable = False
    plain, odd = fit(X[::-1].copy(), np.sin(X)[::-1].copy(), hard), fit(X[::-1], values[::-1], hard)
    pd.testing.assert_frame_equal(odd.curves, plain.curves, check_exact=True)


def test_run_says_that_another_process_trains_the_seeds(tmp_path):
    settings = [*TINY, "method=random", f"results.root={tmp_path}"]
    homotopy.run(*settings, "seeds=[5]")
    (raw,) = compose.jobs(settings)
    with hold(config.from_dict(raw).folder, lambda others: [0, 1]), pytest.raises(ResultError, match="another process"):
        homotopy.run(*settings, "seeds=2")


def test_run_leaves_the_threads_of_its_caller(tmp_path):
    before = torch.get_num_threads()
    homotopy.run(*TINY, "method=random", "seeds=1", f"runtime.threads={before + 1}", f"results.root={tmp_path}")
    assert torch.get_num_threads() == before


def test_run_takes_one_configuration_and_load_a_result():
    with pytest.raises(UserError, match="one configuration"):
        homotopy.run("experiment=fig5")
    with pytest.raises(UserError, match="one configuration"):
        homotopy.run(*TINY, "method=random,homotopy")
    with pytest.raises(UserError, match="task.omega"):
        homotopy.run(*TINY, "omega=74")
    with pytest.raises(ResultError, match="no finished run"):
        homotopy.load(ROOT / "docs")


def test_without_a_network_the_paper_s_is_trained():
    assert [tuple(w.shape) for w in fit().network(0).parameters()][::2] == [(o, i) for i, o in MLP().layers]
