"""Any result folders in one figure: what its legend says of them, and what is refused."""

import matplotlib.pyplot as plt
import pytest
import yaml

from homotopy.figures import common, compare
from tests import made
from tests.machine import command


@pytest.fixture
def folder(tiny):
    def make(*overrides):
        config = tiny(*overrides)
        made.save(config, lambda config, seed: 0.01)
        (config.folder / "config.yaml").write_bytes(yaml.safe_dump(config.identity()).encode())
        return config.folder

    return make


def told(*folders):
    return compare.labels([compare.settings(folder) for folder in folders], folders)


def test_the_legend_says_what_differs_and_nothing_else(folder):
    assert told(folder("method=random"), folder("method=warmstart"), folder()) == [
        "random init.",
        "warm start",
        "homotopy",
    ]
    assert told(folder("task.omega=74"), folder()) == ["task.omega=74.0", "task.omega=137.0"]
    steps = told(folder("schedule.gamma=4", "budget.k=5"), folder("schedule.gamma=10", "budget.k=2"))
    assert steps == ["schedule.gamma=4, budget.k=5", "schedule.gamma=10, budget.k=2"]
    assert told(folder("budget.source=3"), folder()) == ["budget.source=3", "budget.source=1"]
    paths = told(folder("schedule=explicit", "schedule.values=[0.5,0.75,1]"), folder("schedule.gamma=3"))
    assert paths == ["schedule=0.5 0.75 1", "schedule=linear"]
    assert all(
        "control." in label for label in told(folder("method=adaptive"), folder("method=adaptive", "control.first=0.2"))
    )


def test_what_most_folders_share_is_left_out_and_what_nothing_tells_apart_has_its_path(folder):
    folders = [folder("task.omega=74"), folder(), folder("optimizer.lr=0.01"), folder("log_every=2")]
    assert told(*folders) == ["task.omega=74.0", str(folders[1]), "optimizer.lr=0.01", str(folders[3])]


def test_a_line_per_folder_at_its_median(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(common, "save", lambda figure, path: [figure])
    (figure,) = compare.draw([folder("method=random"), folder()], "target_loss", tmp_path / "compare")
    (axes,) = figure.axes
    assert [line.get_ydata()[-1] for line in axes.lines] == pytest.approx([0.01, 0.01])
    assert [line.get_label() for line in axes.lines] == ["random init. (n = 2)", "homotopy (n = 2)"]
    plt.close(figure)


def test_the_script_writes_a_picture_and_refuses_the_rest_in_one_line(folder, tmp_path):
    result = str(folder())
    done = command("scripts/compare.py", result, "--output", str(tmp_path / "mine"))
    assert done.code == 0 and (tmp_path / "mine.png").exists() and done.out.split()[0] == str(tmp_path / "mine.png")
    wrong = {
        "FOLDER": [],
        "no result folder": [str(tmp_path)],
        "target_loss": [result, "--metric", "accuracy"],
        "--colour": [result, "--colour"],
        "name of a figure": [result, "--output", "."],
    }
    for word, arguments in wrong.items():
        done = command("scripts/compare.py", *arguments)
        assert done.code == 2 and word in done.err and done.err.count("\n") == 1, done.err
    assert "FOLDER" in command("scripts/compare.py", "--help").out
