"""The image tasks on real images, through the same runner as every other task."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from homotopy import cli, compose, config, script
from homotopy.errors import ConfigError, DataError, ResultError
from homotopy.figures import fig3, fig6, illustrations
from homotopy.figures.origins import origins, remarks
from homotopy.results.folder import RunFolder
from homotopy.results.library import Place, Result
from homotopy.solvers.classifiers import Score
from homotopy.tasks import embedded
from homotopy.tasks.classification import normalised
from homotopy.tasks.datasets import DATASETS
from homotopy.tasks.images import Mixing
from homotopy.training import checkpoints, runner, sources
from tests.images import ROOT, change_a_pixel, needs_images
from tests.tasks.test_datasets import folder, picture

TINY = ["model=vgg_small", "model.stages=[[4],[4]]", "profile=smoke", "batch_size=32"]
SHORT = ["schedule.gamma=2", "budget.k=1", "budget.final=1"]


@pytest.fixture
def images(tmp_path):
    """Return a function from overrides to a checked configuration of mnist_fashion, a few seconds long."""

    def make(*overrides, task="mnist_fashion"):
        (raw,) = compose.jobs([f"task={task}", *TINY, f"results.root={tmp_path}", *overrides])
        return config.from_dict(raw)

    return make


def curves(of):
    return RunFolder(runner.run(of)).runs()


def load(of, seeds=(0, 1)):
    return of.task.load(seeds, torch.device("cpu"), torch.float32)


def batch(problem):
    return next(problem.batches(slice(0, 1), 1, 8, torch.float32))


@pytest.mark.parametrize(("task", "shape"), [("mnist_fashion", (1, 28, 28)), ("mnist_cifar", (3, 32, 32))])
def test_the_deformation_goes_from_the_source_to_the_target(images, task, shape):
    deformation = load(images(task=task))
    assert deformation.shape == shape and deformation.classes == 10
    source, half, target = (batch(deformation.at(lam)) for lam in (0.0, 0.5, 1.0))
    assert half.x.shape == (1, 8, *shape)
    torch.testing.assert_close(half.x, (source.x + target.x) / 2)
    assert torch.equal(target.x, batch(deformation.target()).x)
    torch.testing.assert_close(
        half.loss(half.x.flatten(2)), (source.loss(half.x.flatten(2)) + target.loss(half.x.flatten(2))) / 2
    )
    if shape[0] == 3:  # MNIST: the same in every channel, nothing at the rim
        assert torch.equal(source.x[:, :, 0], source.x[:, :, 2]) and source.x[..., :2, :].max() == -1


def test_seeds_draw_their_own_images_and_only_the_training_set_s(images):
    deformation = load(images("task.samples=300"))
    drawn = deformation.target().target
    assert drawn.members.shape == (2, 300) and len(drawn.labels) == 5000
    assert all(len(own.unique()) == 300 for own in drawn.members)
    assert not torch.equal(*drawn.members.sort(dim=1).values)
    everything = load(images("task.samples=null")).target().target.members
    assert torch.equal(everything.sort(dim=1).values, torch.arange(5000).expand(2, -1))


def test_source_and_target_have_draws_and_orders_of_their_own(images):
    deformation = load(images("task.samples=300"))
    mixed = deformation.at(0.5)
    assert not torch.equal(mixed.source.members, mixed.target.members)
    assert deformation.source().shuffling != deformation.target().shuffling == mixed.shuffling


def test_the_labels_are_of_the_task_with_more_classes(images):
    of = images()
    source, target = of.task.sets()
    for pair in ((source, replace(target, classes=target.classes[:4])), (replace(source, classes=("a",)), target)):
        assert Mixing(of.task, *pair, (0,), torch.device("cpu")).classes == 10


def test_losses_are_on_the_first_images_of_the_target_and_on_its_test_images(images):
    class Counts:
        """An ensemble whose loss is the number of the images that it is given, and whose accuracy are their places."""

        def evaluate(self, samples):
            return Score(samples.members.shape[1], samples.members)

    deformation = load(images("task.samples=300", "task.evaluated=70", "task.test_samples=50"))
    found = deformation.metrics(Counts())
    assert (found["target_loss"], found["test_loss"]) == (70, 50)
    assert torch.equal(found["target_accuracy"], deformation.target().target.members[:, :70])
    assert found["accuracy"].shape == (2, 50)


def test_the_source_solution_is_another_for_other_images_and_not_for_other_losses(images):
    def source(*overrides):
        return images("task.samples=300", *overrides).task.source_identity()

    assert source() != images("task.samples=200").task.source_identity()
    assert source() == source("task.evaluated=9") == source("task.pairing=fixed") == source("task.test_samples=9")


def test_a_run_learns(images):
    found = curves(
        images("method=random", "task.samples=1500", "seeds=2", "budget.k=1", "budget.final=0", "schedule.gamma=6")
    )
    first, last = (found[found["epoch"] == epoch] for epoch in (1, 6))
    assert (last["target_loss"] < 0.75 * first["target_loss"].to_numpy()).all()
    assert (last["accuracy"] > 0.6).all() and (last["target_accuracy"] > 0.6).all()


def test_gamma_1_is_warm_start_bit_for_bit_and_the_source_is_solved_once(images, monkeypatch):
    solved = []
    solve = sources.solve_source
    monkeypatch.setattr(sources, "solve_source", lambda *a, **k: solved.append(a) or solve(*a, **k))
    limit = ["schedule.gamma=1", "budget.k=1", "budget.final=1"]
    homotopy, warmstart = (curves(images(f"method={method}", *limit)) for method in ("homotopy", "warmstart"))
    pd.testing.assert_frame_equal(homotopy, warmstart, check_exact=True)
    assert len(solved) == 1


def test_an_interrupted_run_ends_as_if_it_had_not_been(images, monkeypatch, tmp_path):
    whole = curves(images(*SHORT, "model.batch_norm=true", f"results.root={tmp_path / 'whole'}"))
    after = checkpoints.Checkpoint.after

    def stop(self, epoch):
        self.save(epoch)
        if epoch == 2:
            raise KeyboardInterrupt
        after(self, epoch)

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints.Checkpoint, "after", stop)
        with pytest.raises(KeyboardInterrupt):
            runner.run(images(*SHORT, "model.batch_norm=true"))
    began = []
    monkeypatch.setattr(
        runner, "follow", lambda *a, follow=runner.follow, **k: began.append(k["done"]) or follow(*a, **k)
    )
    pd.testing.assert_frame_equal(curves(images(*SHORT, "model.batch_norm=true")), whole, check_exact=True)
    assert began == [2]


def test_the_record_of_a_run_tells_which_data_it_used_and_how_it_computed(images):
    made = RunFolder(runner.run(images("method=random", "precision=bfloat16", *SHORT))).metadata()
    (record,) = made["records"]
    assert record["precision"] == "bfloat16"
    assert [source["name"] for source in record["data"]] == ["MNIST", "FashionMNIST"]
    assert [source["note"] for source in record["data"]] == ["embedded images"] * 2
    assert record["data"][0]["md5"] == embedded.load("MNIST").provenance.md5


@pytest.mark.parametrize(("task", "experiment"), [("mnist_fashion", "first_fashion"), ("mnist_cifar", "first_cifar")])
def test_a_task_alone_has_the_settings_of_the_first_study(task, experiment):
    (alone,) = compose.jobs([f"task={task}", "profile=paper"])
    of_figure = compose.jobs([f"experiment={experiment}", "profile=paper", "method=homotopy"])
    assert [config.from_dict(raw).folder for raw in of_figure] == [config.from_dict(alone).folder]
    own = config.from_dict(*compose.jobs([f"task={task}", "batch_size=64", "schedule=explicit", "optimizer=sgd"]))
    assert (own.batch_size, own.schedule.gamma, own.optimizer.lr) == (64, 4, 0.01)


def test_what_does_not_change_numbers_does_not_change_the_folder(images):
    base = images("method=random").folder
    assert images("method=random", "data.root=/elsewhere").folder == base
    assert images("method=random", "task.pairing=fixed").folder == base
    assert images("method=random", "task.samples=255").folder != base
    assert images("task.pairing=fixed").folder != images().folder
    folders = {images("method=random", f"task.images={name}").folder for name in ("embedded", "official", "unofficial")}
    assert len(folders) == 3 and base in folders


def test_a_model_or_precision_that_does_not_fit_is_one_line(images):
    for wrong in (["task=mnist_fashion", "model=mlp"], ["model=mlp", "task=mnist_cifar"]):
        with pytest.raises(ConfigError, match="model=mlp: must be vgg11 or .*vgg_small"):
            cli.check(wrong)
    with pytest.raises(ConfigError, match="task.pairing=none: must be random or fixed or class_matched"):
        images("task.pairing=none")
    with pytest.raises(ConfigError, match="task.samples=0: must be an integer of at least 1, or null"):
        images("task.samples=0")
    with pytest.raises(ConfigError, match="task.images=some: must be embedded, official or unofficial"):
        images("task.images=some")


def test_missing_images_are_one_line_before_anything_is_trained(images, tmp_path):
    with pytest.raises(DataError, match="train-images-idx3-ubyte is missing"):
        runner.run(images("task.images=official", f"data.root={tmp_path / 'nowhere'}"))


def refused(command, tmp_path, capsys):
    """Run a command that must write nothing, and return the line that it ends with."""
    with pytest.raises(SystemExit) as ended:
        script.guard(cli.start, None, "train.py", [*command, f"results.root={tmp_path / 'results'}"])
    assert ended.value.code == 2 and not (tmp_path / "results").exists()
    (line,) = capsys.readouterr().err.splitlines()
    return line


@pytest.mark.parametrize(("key", "most"), [("samples", 5000), ("evaluated", 256), ("test_samples", 1000)])
def test_more_images_than_are_embedded_is_one_line_before_anything_is_written(key, most, tmp_path, capsys):
    line = refused(["experiment=fig3a", "profile=smoke", f"task.{key}={most + 1}"], tmp_path, capsys)
    assert line.startswith(f"error: task.{key}={most + 1}: must be at most {most}, or null for all: ")
    assert "task.images=official" in line


@pytest.mark.parametrize("experiment", ["fig3a", "fig3b"])
def test_an_experiment_without_its_images_is_one_line_with_status_2_and_writes_nothing(experiment, tmp_path, capsys):
    command = [f"experiment={experiment}", "profile=paper", f"data.root={tmp_path}"]
    line = refused(command, tmp_path, capsys)
    assert line.startswith(f"error: MNIST: {tmp_path}/MNIST/raw/train-images-idx3-ubyte is missing (md5 6bbc9ace898e")
    assert ("CIFAR10:" if experiment == "fig3b" else "FashionMNIST:") in line
    assert "scripts/data.py" in line


def test_the_data_that_several_tasks_lack_are_each_named_once(tmp_path, capsys):
    sweep = ["experiment=fig3a,fig3b", "profile=paper", f"results.root={tmp_path / 'results'}", f"data.root={tmp_path}"]
    with pytest.raises(SystemExit):
        script.guard(cli.start, None, "train.py", sweep)
    (line,) = capsys.readouterr().err.splitlines()
    assert [line.count(f" {name}: ") for name in ("MNIST", "FashionMNIST", "CIFAR10")] == [1, 1, 1]


@pytest.mark.parametrize(("key", "most"), [("samples", 4), ("test_samples", 6), ("evaluated", 6)])
def test_more_images_than_there_are_is_one_line_and_nothing_is_written(images, tmp_path, capsys, key, most):
    folder(tmp_path / "birds", ["crow", "owl"]), folder(tmp_path / "fish", ["cod", "eel", "ray"])
    sets = [f"task.source={tmp_path / 'birds'}", f"task.target={tmp_path / 'fish'}", "task.size=8", "batch_size=4"]
    task = images(*sets, f"task.{key}={most}", task="image_folder").task
    task.check_data()
    task.load([0], torch.device("cpu"), torch.float32)
    command = ["task=image_folder", *TINY, *sets, f"task.{key}={most + 1}", f"results.root={tmp_path / 'results'}"]
    with pytest.raises(SystemExit) as ended:
        script.guard(cli.start, None, "train.py", command)
    assert ended.value.code == 2 and not (tmp_path / "results").exists()
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: task.{key}={most + 1}: must be at most {most}")


def test_whole_data_sets_know_how_many_images_are_trained_on(images):
    whole = ["task.images=official", "task.samples=null"]
    assert images(*whole).task.training_samples == 60_000
    assert images(*whole, task="mnist_cifar").task.training_samples == 50_000
    assert images(*whole, "task.samples=7", "batch_size=7").task.training_samples == 7
    with pytest.raises(ConfigError, match="batch_size=50001: must be at most 50000"):
        images(*whole, "batch_size=50001", task="mnist_cifar")


@needs_images
def test_more_of_the_official_images_than_there_are_is_refused_before_training(images):
    whole = ["task.images=official", "task.samples=null", f"data.root={ROOT}"]
    for key, most in (("samples", 60000), ("test_samples", 10000), ("evaluated", 60000)):
        images(*whole, f"task.{key}={most}").task.check_data()
        with pytest.raises(ConfigError, match=f"task.{key}={most + 1}: must be at most {most}"):
            images(*whole, f"task.{key}={most + 1}").task.check_data()


@pytest.mark.parametrize("task", ["mnist_fashion", "mnist_cifar"])
def test_vgg11_takes_the_images_of_both_studies(task):
    (raw,) = compose.jobs([f"task={task}", "model=vgg11", "profile=smoke"])
    configured = config.from_dict(raw)
    network = configured.model.network(load(configured))
    assert network.shape == {"mnist_fashion": (1, 28, 28), "mnist_cifar": (3, 32, 32)}[task]
    assert network.dense == [(512, 10)] and len(network.convolutions) == 8


def test_folders_that_are_not_given_or_not_there_are_one_line(images, tmp_path):
    with pytest.raises(ConfigError, match=r"^task.source=\?\?\?: must be given$"):
        images(task="image_folder")
    task = images(f"task.source={tmp_path}", f"task.target={tmp_path}", task="image_folder").task
    with pytest.raises(DataError, match="train: expected one folder of images per class"):
        task.check_data()


def test_any_two_folders_of_images_can_be_a_task(images, tmp_path):
    folder(tmp_path / "birds", ["crow", "owl"]), folder(tmp_path / "fish", ["cod", "eel", "ray"])
    sets = [f"task.source={tmp_path / 'birds'}", f"task.target={tmp_path / 'fish'}", "task.size=8", "batch_size=4"]
    configured = images(*sets, *SHORT, task="image_folder")
    assert configured.task.label == "birds-fish" and load(configured).classes == 3
    found = curves(configured)
    assert np.isfinite(found["target_loss"]).all() and set((6 * found["accuracy"]).round(4)) <= set(range(7))


def test_seeds_of_other_files_are_not_added_to_a_result(images, tmp_path):
    folder(tmp_path / "birds", ["crow", "owl"]), folder(tmp_path / "fish", ["cod", "eel"])
    sets = [f"task.source={tmp_path / 'birds'}", f"task.target={tmp_path / 'fish'}", "task.size=8", "batch_size=4"]
    before = curves(images(*sets, *SHORT, "seeds=1", "method=random", task="image_folder"))
    picture(tmp_path / "fish" / "train" / "cod" / "a.png", (9, 12), 200)
    more = images(*sets, *SHORT, "seeds=2", "method=random", task="image_folder")
    with pytest.raises(ResultError, match="its seeds were trained on other files of fish"):
        runner.run(more)
    pd.testing.assert_frame_equal(RunFolder(more.folder).runs(), before)


def test_a_checkpoint_of_other_files_is_not_gone_on_from(images, tmp_path, monkeypatch):
    folder(tmp_path / "birds", ["crow", "owl"]), folder(tmp_path / "fish", ["cod", "eel"])
    sets = [f"task.source={tmp_path / 'birds'}", f"task.target={tmp_path / 'fish'}", "task.size=8", "batch_size=4"]
    of = images(*sets, *SHORT, "method=random", task="image_folder")

    def stop(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(RunFolder, "add", stop)
        runner.run(of)
    picture(tmp_path / "fish" / "train" / "cod" / "a.png", (9, 12), 200)
    with pytest.raises(ResultError, match="its seeds were trained on other files of fish"):
        runner.run(of)


def test_a_source_solution_of_other_files_is_not_started_from(images, tmp_path, monkeypatch):
    folder(tmp_path / "birds", ["crow", "owl"]), folder(tmp_path / "fish", ["cod", "eel"])
    sets = [f"task.source={tmp_path / 'birds'}", f"task.target={tmp_path / 'fish'}", "task.size=8", "batch_size=4"]
    solve, solved = sources.solve_source, []
    monkeypatch.setattr(sources, "solve_source", lambda *a, **k: solved.append(a) or solve(*a, **k))

    def source_data(method):
        record = RunFolder(runner.run(images(*sets, *SHORT, f"method={method}", task="image_folder"))).metadata()
        (origin,) = record["records"][0]["source"]
        assert origin["data"] == record["records"][0]["data"]
        return origin["data"][0]["md5"]["train"]

    before = source_data("warmstart")
    picture(tmp_path / "birds" / "train" / "owl" / "a.png", (9, 12), 200)
    assert source_data("homotopy") != before and len(solved) == 2


def all_of_them(tmp_path, images):
    """Return a function from `task.images` to a short configuration on all of the small files below tmp_path."""
    every = ["task.samples=null", "task.evaluated=null", "task.test_samples=null", f"data.root={tmp_path}"]
    return lambda which: images(f"task.images={which}", *every, *SHORT, "seeds=1", task="mnist_cifar")


def test_runs_on_a_copy_that_differs_by_a_pixel_stand_apart_from_official_ones(images, small, tmp_path):
    small("MNIST")
    folder, of = small("CIFAR10"), all_of_them(tmp_path, images)
    before = curves(of("official"))
    change_a_pixel(folder)
    with pytest.raises(DataError, match="data_batch_1 has md5 .* or set task.images=unofficial"):
        of("official").task.check_data()
    of("unofficial").task.check_data()
    runner.run(of("unofficial"))
    pd.testing.assert_frame_equal(RunFolder(of("official").folder).runs(), before)
    notes = {
        which: [data["note"] for data in RunFolder(of(which).folder).metadata()["records"][0]["data"]]
        for which in ("official", "unofficial")
    }
    assert notes == {"official": ["", ""], "unofficial": ["", "not the official files"]}
    change_a_pixel(folder, image=8)
    with pytest.raises(ResultError, match="its seeds were trained on other files of CIFAR10"):
        runner.run(replace(of("unofficial"), seeds=(0, 1)))


def test_official_and_unofficial_files_have_source_solutions_of_their_own(images, small, tmp_path, monkeypatch):
    solved, solve = [], sources.solve_source
    monkeypatch.setattr(sources, "solve_source", lambda *a, **k: solved.append(a) or solve(*a, **k))
    labels, of = small("MNIST") / "train-labels-idx1-ubyte", all_of_them(tmp_path, images)
    small("CIFAR10")
    runner.run(of("official"))
    labels.write_bytes(labels.read_bytes()[:-1] + b"\0")
    runner.run(of("unofficial"))
    assert len(solved) == 2


def test_figure_6_shows_real_images_and_the_papers_label_in_every_profile(tmp_path):
    overrides = ["experiment=fig6", "profile=paper", f"results.root={tmp_path}", f"data.root={tmp_path}"]
    (job,) = cli.check(overrides)
    illustrations.compute(job)
    rows = fig6.read(Place(tmp_path, "paper"), "illustrations/fig6.csv.gz", "fig6")
    assert fig6.vector(fig6.label(rows, 0.5)) == "[0, 0, 0.5, 0, 0, 0.5, 0, 0, 0, 0]"
    job.config.task.check_data()
    source, target = job.config.task.sets()
    for lam, images_, c in ((0.0, source, 2), (1.0, target, 5)):
        shown = torch.from_numpy(2 * fig6.image(rows, lam) - 1)
        real = normalised(images_.train.pixels[images_.train.labels == c][0, 0], torch.float64)
        torch.testing.assert_close(shown, real, atol=1e-5, rtol=0)
    few = rows[rows["lam"].isin([0, 0.5, 1])]
    place = Place(tmp_path, "paper")
    assert fig6.origin(place)[0].startswith("MNIST: embedded images, checksums ")
    drawn = [[path.read_bytes() for path in fig6.stills(place, rows) + fig6.moving(place, few)] for _ in range(2)]
    assert drawn[0] == drawn[1] and len(drawn[0]) == 3


def test_figure_3_says_what_was_cut_and_which_data_were_used(images, tmp_path, monkeypatch):
    of = images("task.samples=256", "task.evaluated=128", *SHORT, "method=random", task="mnist_cifar")
    results = [Result(of, curves(of))]
    about = fig3.about(results)
    assert "256 training images of each data set per seed" in about and "the same 128 of the target's" in about
    assert "accuracy on 128 test images" in about and "channels 4; 4, initialisation" in about
    assert "random init.: batches of 32" in about
    assert about.count("; CIFAR10: embedded images, checksums ") == 1
    monkeypatch.setattr(fig3, "experiment", lambda name, place: results)
    png, _ = fig3.draw("fig3b", Place(tmp_path, "smoke"))
    assert Image.open(png).text["Description"] == about


def test_origins_name_the_files_and_one_digest_of_all_their_checksums():
    mnist, cifar = ({"name": name, "md5": DATASETS[name].md5} for name in ("MNIST", "CIFAR10"))
    records = [mnist | {"official": True, "note": ""}] * 2 + [cifar | {"official": False, "note": "no official files"}]
    first, second = origins(records)
    assert first == "MNIST: official files, checksums be035a44"  # md5sum * | md5sum
    assert second.startswith("CIFAR10: no official files, checksums ")
    assert remarks(records) == ["CIFAR10: no official files"]
