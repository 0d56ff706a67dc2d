"""Whatever a user types and whatever happens to a file: an error of one line, and nothing of value is lost."""

import contextlib
import copy
import dataclasses
import gzip
import pickle
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from homotopy import cli, compose, config, keys, script
from homotopy.errors import ConfigError, Diverged, ResultError, UserError, in_words
from homotopy.results.folder import RunFolder
from homotopy.training import checkpoints, runner
from tests.conftest import TINY
from tests.machine import command

BASES = (
    [],
    ["method=adaptive"],
    ["schedule=geometric"],
    ["schedule=sublinear"],
    ["schedule=explicit"],
    ["task=mnist_fashion"],
    ["task=image_folder", "task.source=a", "task.target=b"],
    ["experiment=theory"],
    ["experiment=fig4"],
)
FUZZ = settings(deadline=None, suppress_health_check=list(HealthCheck))


def leaves(raw, path=()):
    for key, value in raw.items():
        yield (*path, key)
        if isinstance(value, dict) and key != "budgets":
            yield from leaves(value, (*path, key))


@pytest.fixture(scope="module")
def composed(tmp_path_factory):
    root = tmp_path_factory.mktemp("results")
    options = ["profile=smoke", f"results.root={root}", f"data.root={root}"]
    return [compose.jobs([*options, *base])[0] for base in BASES]


numbers = st.integers() | st.floats() | st.sampled_from([2**31, 2**63, 2**200, -1, 0, 1, 5e-324, 1e308])
plain = st.none() | st.booleans() | numbers | st.text(max_size=8) | st.sampled_from(["..", "a\nb", "x" * 5000, "nan"])
values = st.recursive(plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=2))


@contextlib.contextmanager
def nothing_written(*folders, words=str):
    """Do work that an error of one line may end, here and in empty folders, and find nothing there at its end."""
    with tempfile.TemporaryDirectory() as here, contextlib.chdir(here):
        try:
            yield
        except UserError as error:
            assert 0 < len(words(error)) < 1000 and len(words(error).splitlines()) == 1
        assert not [path for folder in (Path(here), *folders) for path in folder.iterdir()]


@settings(FUZZ, max_examples=500)
@given(st.data())
def test_a_value_is_accepted_or_refused_in_one_line_and_nothing_is_written(composed, data):
    raw = copy.deepcopy(data.draw(st.sampled_from(composed)))
    *groups, key = data.draw(st.sampled_from(list(leaves(raw))))
    group = raw
    for name in groups:
        group = group[name]
    match data.draw(st.sampled_from(["replace", "remove", "add"])):
        case "replace":
            group[key] = data.draw(values)
        case "remove":
            del group[key]
        case "add":
            group[f"{key}2"] = data.draw(values)
    with nothing_written(Path(composed[0]["results"]["root"])):
        cli.preflight([cli.checked(raw)])


@pytest.mark.parametrize("key", ["a\x1eb", "a\nb", "a\u2028b", "x" * 5000])
def test_an_unknown_key_is_refused_in_one_line_whatever_is_in_it(composed, key):
    raw = composed[0] | {"budget": composed[0]["budget"] | {key: None}}
    with pytest.raises(ConfigError, match="must be left out: budget has source, k, final") as refused:
        cli.checked(raw)
    assert len(str(refused.value)) < 1000 and len(str(refused.value).splitlines()) == 1


# fmt: off
KEYS = [
    "task", "task.omega", "task.nope", "method", "method.path", "schedule", "schedule.values", "optimizer.lr",
    "model.width", "profile", "budgets", "experiment", "launcher", "job", "seeds", "control.first", "budget",
    "runtime.device", "runtime.part", "runtime", "data", "results", "results.root", "variation", "hydra.mode",
    "hydra/launcher", "hydra/sweeper", "nope", "nope.nope", "task@x", "method@_global_", "@", ".", "é", "task.",
    "hydra.sweeper.params", "1", "theory",
]
TEXTS = [
    "null", "nan", "-inf", "1e400", "99999999999999999999999", "[]", "{}", "[1,2]", "{a:1}", "${nope}",
    "${seeds}", "${divide:a,0}", "???", "1,2", "a,b", "1,", ",", "range(1,0)", "choice()", "glob(*)",
    "interval(0,1)", "sort(1,2)", "[1", "1]", "{", "'", "a=b", "..", "../profile/quick", "/etc/passwd", "true",
    "sine", "_self_",
]
# fmt: on
overrides = st.builds(
    "{}{}={}".format,
    st.sampled_from(["", "", "", "+", "++", "~"]),
    st.sampled_from(KEYS) | st.text(max_size=4).filter(lambda key: not key.startswith("-")),
    st.sampled_from(["", *TEXTS]) | st.text(max_size=6),
) | st.sampled_from([f"~{key}" for key in KEYS] + KEYS)


@settings(FUZZ, max_examples=40)
@given(
    st.lists(overrides, min_size=1, max_size=2), st.sampled_from([[], ["experiment=fig1"], ["runtime.seeds_per_job=1"]])
)
def test_a_command_line_is_accepted_or_refused_in_one_line_and_nothing_is_written(typed, besides):
    with nothing_written(words=in_words):
        cli.preflight(cli.check(["profile=smoke", *besides, *typed]))


@pytest.mark.parametrize(
    "wrong, told",
    [
        (["seeds=[[0]]"], "seeds=[[0]]"),
        (["seeds=[3,3]"], "seeds=[3, 3]"),
        (["seeds=99999999999"], "seeds=99999999999"),
        (["batch_size=" + 400 * "9"], "below 2147483648"),
        (["task=mnist_fashion", f"model.stages=[[{2**31}]]"], "model.stages"),
        (["method=warmstart", "+method.predictor=secant"], "without a path"),
        (["~seeds"], "seeds=missing"),
        (["schedule=explicit", "schedule.values=[nan,1]"], "increases"),
        (["schedule.gamma=99999999999"], "schedule.gamma=99999999999"),
        (["schedule=geometric", "schedule.ratio=1e300"], "schedule.ratio"),
        (["budget.k=999999999"], "at most 1000000 epochs"),
        (["task.samples=9999999999"], "below 2147483648"),
        (["runtime.threads=99999"], "runtime.threads=99999"),
        (["runtime.device=cuda:99999"], "runtime.device=cuda:99999"),
        (["runtime.device=cuda:01"], "runtime.device=cuda:01"),
        (["results.root=2026"], "./2026"),
        (["results.root="], "results.root="),
        (["job=[train]"], "job=['train']"),
        (["job=illustrate"], "illustration"),
        (["task.omega=range(1,0)"], "at least one value"),
        (["task.omega=1,2", "task.omega=3,4"], "given once"),
        (["method=random", "method=homotopy,warmstart"], "given once"),
        (["+seeds=3"], "seeds"),
        (["hydra/launcher=1,2"], "means nothing to Hydra"),
        (["task.omega=interval(0,1)"], "task.omega=interval"),
        (["task.omega=glob(*)"], "task.omega=glob"),
        (["method.name=../elsewhere"], "method.name"),
        (["method=random", "task.deformation=gaussian_filter"], "method=random"),
        (["+optimizer.momentum=0.5"], "optimizer.momentum=0.5"),
        (["optimizer=sgd", "+optimizer.beta1=0.5"], "optimizer.beta1=0.5"),
        (["nope=1"], "nope"),
        (["method=nope"], "one of adaptive"),
        (["omega=74"], "task.omega"),
        (["+omega=74"], "task.omega"),
        (["+omega=74,137"], "task.omega"),
        (["+lr=0.01"], "optimizer.lr"),
        (["+epochs=100"], "budget.k"),
        (["++seed=5"], "seeds"),
        (["optimzer=sgd"], "optimizer"),
        (["optimzer.lr=3"], "optimizer.lr"),
        (["+optimzer.lr=3"], "optimizer.lr"),
        (["optimizer.lrr=3"], "optimizer.lr"),
        (["+data.rot=x"], "data.root"),
        (["+results.rot=x"], "results.root"),
        (["fig1"], "experiment=fig1"),
        (["method=random", "homotopy"], "method=homotopy"),
        (["task.source=a"], "task=image_folder"),
        (["schedule.ratio=2"], "schedule=geometric"),
        (["illustration=fig4"], "experiment=fig4"),
        (["seeds=${nowhere}"], "nowhere"),
        (["task.source=a(b"], "task.source=a(b: cannot be read"),
    ],
)
def test_what_is_wrong_is_named(wrong, told):
    with pytest.raises(UserError) as caught:
        cli.check(wrong)
    assert told in str(caught.value)


def test_a_precision_that_the_device_lacks_is_refused_before_anything_is_written(tmp_path, capsys):
    command = ["profile=smoke", "precision=tf32", "runtime.device=cpu", f"results.root={tmp_path / 'results'}"]
    with pytest.raises(SystemExit) as end:
        script.guard(cli.start, None, "train.py", command)
    assert end.value.code == 2 and not list(tmp_path.iterdir())
    assert "precision=tf32: must be float32 or float64" in capsys.readouterr().err
    (raw,) = compose.jobs(command)
    with pytest.raises(ConfigError, match="precision=tf32"):
        runner.run(config.from_dict(raw))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("mode", ["-m", "--multirun", "-r", "--run"])
def test_hydra_s_mode_on_the_command_line_skips_no_check(mode, capsys):
    with pytest.raises(SystemExit) as end:
        script.guard(cli.start, None, "train.py", [mode, "batch_size=0"])
    assert end.value.code == 2 and "batch_size=0: must be" in capsys.readouterr().err


def test_a_misspelt_key_in_a_file_of_one_s_own_is_refused(composed):
    with pytest.raises(ConfigError, match=r"optimzer\.lr=3: .*optimizer\.lr"):
        cli.checked(composed[0] | {"optimzer": {"lr": 3}})


def test_an_unknown_key_trains_nothing(tmp_path):
    done = command("scripts/train.py", *TINY, f"results.root={tmp_path}", "+omega=74")
    assert done.code == 2 and not done.out and not list(tmp_path.iterdir())
    assert len(done.err.splitlines()) == 1 and "task.omega" in done.err


def test_a_group_that_nothing_chooses_from_is_added_with_a_plus():
    with pytest.raises(ConfigError, match=r"\+variation="):
        compose.jobs(["variation=siren"])
    found = compose.jobs(["+variation=siren", "method=random,homotopy"])
    assert [raw["model"]["name"] for raw in found] == ["siren"] * 2 and "variation" not in found[0]


def test_every_suggestion_is_a_key_that_can_be_set():
    for key in ("omega", "lr", "seed", "gama", "batch", "learning_rate", "epochs", "sample", "init"):
        assert keys.meant(key)
        for meant in keys.meant(key):
            compose.jobs([f"{meant}=1"])


def test_a_value_in_the_home_folder_is_found_there(monkeypatch):
    monkeypatch.setenv("HOME", "/somewhere")
    (raw,) = compose.jobs(["results.root=~/x"])
    assert raw["results"]["root"] == "/somewhere/x"


def test_of_plain_values_given_twice_the_last_counts():
    (raw,) = compose.jobs(["seeds=1", "seeds=2"])
    assert raw["seeds"] == 2


def test_of_a_sweep_over_mappings_each_job_is_what_it_is_alone():
    values = ["control={least:0.02}", "control={first:0.2}"]
    swept = compose.jobs(["method=adaptive", ",".join([values[0], values[1].partition("=")[2]])])
    assert swept == [compose.jobs(["method=adaptive", value])[0] for value in values]


def test_hydra_s_own_groups_are_no_part_of_a_configuration():
    sweep = ["method=random,homotopy", "seeds=1"]
    assert compose.jobs([*sweep, "hydra/launcher=basic"]) == compose.jobs(sweep)


def test_errors_pass_from_process_to_process():
    for error in (ConfigError("key", 1, "2"), Diverged("what", 0.1), ResultError("lost")):
        again = pickle.loads(pickle.dumps(error))
        assert type(again) is type(error) and str(again) == str(error)


def test_an_error_that_nobody_foresaw_is_one_line_and_its_traceback_a_file(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(SystemExit) as end:
        script.guard(lambda: 1 / 0)
    (file,) = tmp_path.iterdir()
    assert end.value.code == 1 and "ZeroDivisionError" in file.read_text()
    (line,) = capsys.readouterr().err.splitlines()
    assert "ZeroDivisionError: division by zero" in line and str(file) in line


def test_what_the_system_refuses_is_one_line(capsys):
    with pytest.raises(SystemExit) as end:
        script.guard(open, "/nope")
    assert end.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "/nope" in line
    assert in_words(MemoryError("8 TB")).startswith("not enough memory: 8 TB; train fewer seeds")


def test_what_hydra_fails_at_is_one_line_too(tmp_path):
    (tmp_path / "file").touch()
    done = command(
        "scripts/train.py", *TINY, f"results.root={tmp_path / 'results'}", f"hydra.run.dir={tmp_path}/file/x"
    )
    first, table, *_ = done.err.splitlines()
    assert done.code == 1 and f"{tmp_path}/file/x" in first and "1 of 1 jobs" in table


@pytest.fixture(scope="module")
def half(tmp_path_factory):
    """Return a configuration of four seeds, two of them finished, two with a checkpoint; what it shall become."""
    root = tmp_path_factory.mktemp("results")

    def make(*more):
        options = ["method=random", "schedule.gamma=1", "budget.k=3", "budget.final=0", "runtime.seeds_at_once=2"]
        (raw,) = compose.jobs([*TINY, f"results.root={root}", *options, *more])
        return config.from_dict(raw)

    expected = contents(runner.run(dataclasses.replace(make("seeds=4"), results=root / "whole")))
    runner.run(make("seeds=2"))
    wanted = make("seeds=4", "runtime.checkpoint_minutes=0")
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(runner.Progress, "__exit__", stop)
        runner.run(wanted)
    assert len(list(wanted.folder.glob("checkpoint-*.pt"))) == 1
    return wanted, expected, RunFolder(runner.run(make("seeds=4", "task.omega=74"))).path


def stop(*arguments):
    raise KeyboardInterrupt


def contents(folder):
    return {name: (folder / name).read_bytes() for name in ("config.yaml", "median.csv", "runs.csv.gz")}


def without_column(data):
    lines = gzip.decompress(data).splitlines()
    return gzip.compress(b"".join(line.rpartition(b",")[0] + b"\n" for line in lines))


DAMAGES = {
    "truncate": lambda data, n, other: data[: n % len(data)],
    "flip": lambda data, n, other: (
        data[: n % len(data)] + bytes([data[n % len(data)] ^ 1 << n % 8]) + data[n % len(data) + 1 :]
    ),
    "append": lambda data, n, other: data + bytes([n % 256]),
    "empty": lambda data, n, other: b"",
    "swap": lambda data, n, other: other,
    "column": lambda data, n, other: without_column(data) if data[:2] == b"\x1f\x8b" else b"seed,epoch\n1,2\n",
    "delete": lambda data, n, other: None,
}
FILES = (
    "SHA256SUMS",
    "config.yaml",
    "median.csv",
    "metadata.json",
    "runs.csv.gz",
    checkpoints.path_of(Path(), [2, 3]).name,
)


@settings(FUZZ, max_examples=50)
@given(
    st.sampled_from(FILES),
    st.sampled_from(list(DAMAGES)),
    st.integers(0, 1 << 20),
    st.sampled_from(FILES),
    st.booleans(),
)
def test_a_damaged_file_is_refused_or_set_aside_and_made_again(half, name, damage, n, another, of_other):
    wanted, expected, other = half
    with tempfile.TemporaryDirectory() as root, pytest.MonkeyPatch.context() as patch:
        patch.setattr("homotopy.results.folder.time.sleep", lambda seconds: None)  # nobody is writing
        shutil.copytree(wanted.results, root, dirs_exist_ok=True)
        here = dataclasses.replace(wanted, results=Path(root))
        path, stranger = here.folder / name, (other if of_other else here.folder) / another
        before = path.read_bytes()
        after = DAMAGES[damage](before, n, stranger.read_bytes() if stranger.exists() else b"")
        path.write_bytes(after) if after is not None else path.unlink()
        for read in (RunFolder(here.folder).runs, RunFolder(here.folder).medians, RunFolder(here.folder).metadata):
            refused(read)
        if (told := refused(lambda: runner.run(here))) and "version of the result files" in told:
            assert path.read_bytes() == after and name == "config.yaml"
            return
        refused(lambda: runner.run(here))
        assert contents(here.folder) == expected
        assert RunFolder(here.folder).settled(here.identity(), here.seeds)
        if after not in (None, before) and name != "SHA256SUMS":
            assert after in [aside.read_bytes() for aside in here.folder.glob(f"{name}.damaged-*")]


def refused(work):
    """Return the one line with which work is refused, None where it is done."""
    try:
        work()
    except ResultError as error:
        assert len(str(error).splitlines()) == 1
        return str(error)


def test_the_files_of_another_configuration_are_neither_read_nor_deleted(half, tmp_path):
    wanted, expected, other = half
    here = dataclasses.replace(wanted, results=tmp_path)
    shutil.copytree(other, here.folder)
    strangers = [path.read_bytes() for path in other.iterdir() if path.name in FILES[1:-1]]
    with pytest.raises(ResultError, match="of another configuration"):
        RunFolder(here.folder).runs()
    runner.run(here)
    assert contents(here.folder) == expected
    kept = [path.read_bytes() for path in here.folder.iterdir() if path.is_file()]
    assert all(data in kept for data in strangers)


@pytest.mark.parametrize(
    "typed, told",
    [
        (["scripts/plot.py", "nope"], "figures=nope"),
        (["scripts/report.py", "nope"], "nope: must be KEY=VALUE"),
        (["scripts/plot.py", "figures=nope"], "figures=nope"),
        (["scripts/plot.py", "profile=nope"], "one of paper, quick, smoke"),
        (["scripts/report.py", "profile=nope"], "one of paper, quick, smoke"),
        (["scripts/report.py", "profile="], "profile="),
        (["scripts/status.py", "experiment=nope"], "experiment=nope"),
        (["scripts/status.py", "profile=nope"], "one of paper, quick, smoke"),
        (["scripts/readme.py"], "--check or --write"),
        (["scripts/readme.py", "--check", "file=/nope"], "/nope"),
        (["scripts/bench.py", "sections=nope"], "sections=nope"),
        (["scripts/reproduce.py", "profile=nope"], "one of paper, quick, smoke"),
        (["scripts/doctor.py", "nope=1"], "nope=1"),
        (["scripts/data.py", "--root"], "--root: must be KEY=VALUE"),
    ],
)
def test_bad_arguments_of_a_script_are_one_line(typed, told, tmp_path, monkeypatch):
    monkeypatch.setenv("HOMOTOPY_DATA", str(tmp_path))
    done = command(*typed)
    assert done.code == 2 and not done.out
    assert told in done.err and "Traceback" not in done.err
    assert len(done.err.splitlines()) == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("key", [field.name for field in dataclasses.fields(config.Runtime)])
def test_a_key_of_runtime_without_its_group_is_refused_with_its_whole_name(key):
    for typed in (f"{key}=1", f"+{key}=1"):
        with pytest.raises(UserError, match=rf"did you mean .*runtime\.{key}\b"):
            cli.check([typed])


def test_nothing_in_runtime_is_part_of_the_identity(composed):
    like = config.from_dict(composed[0])
    device = {"device": "cuda:3", "threads": 3, "seeds_at_once": 2, "checkpoint_minutes": 1.5, "elsewhere": True}
    other = config.from_dict(composed[0] | {"runtime": composed[0]["runtime"] | device})
    assert other.runtime != like.runtime and (other.folder, other.source_identity()) == (
        like.folder,
        like.source_identity(),
    )
