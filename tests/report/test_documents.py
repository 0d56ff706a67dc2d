"""What the documents show of the results is what the committed ones say, and cannot go stale."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from homotopy.errors import ResultError
from homotopy.figures import why
from homotopy.report import abstract, advice, documents, frontpage, rules
from homotopy.report.findings import Findings
from homotopy.report.rules import Row
from homotopy.report.verdicts import Judged
from homotopy.report.write import solved_text
from homotopy.results.intervals import Interval
from homotopy.results.library import Library, Place
from homotopy.training import why as training
from tests.made import save_experiment

ROOT = Path(__file__).parents[2]
LOSSES = {"random": 0.2, "warmstart": 0.1, "homotopy": 0.001}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    place = Place(tmp_path_factory.mktemp("results"), "quick")
    save_experiment("fig1", place, lambda config, seed: LOSSES[config.method.name], seeds=3)
    for folder in ("bench", "quick/theory"):
        (place.results / folder).mkdir(parents=True)
    for machine, speed in (("fast", 5.0), ("slow", 11.04)):
        contestants = [
            ["plain loop", {"median": speed, "q25": 1.0, "q75": 99.0}, 0.1],
            ["JAX", {"median": 3.0}, 0.1],
            ["JAX, 2 at a time", {"median": 2.0}, 0.1],
        ]
        images = [["CIFAR10", "DataLoader", 4.0, 1.0], ["CIFAR10", "one seed per core", 1.0, 7]]
        images += [["CIFAR10", "one process per core", {"median": 0.75}, 9.3]]
        images += [["FashionMNIST", "one process per core", {"median": speed / 10}, 9.3]]
        sections = [{"name": "late", "rows": contestants}, {"name": "images", "rows": images}]
        (place.results / "bench" / f"{machine}.json").write_text(json.dumps({"sections": sections}))
    rows = {"M": [1.0, 1.0, 5.0], "smallest M": [10.0, 15.0, 15.0], "alpha": 0.0552072, "left": [0.1, 0.50461, 0.2]}
    pd.DataFrame(rows).to_csv(place.folder / "theory" / "local.csv", index=False)
    (place.folder / "theory" / "bounds.md").write_text("| a |\n| --- |\n")
    return Findings(Library(place))


def rows(table):
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


def test_every_claim_has_a_line_and_every_question_an_answer(found):
    claims, questions = rows(frontpage.claims(found)), rows(documents.questions(found))
    assert [int(row[0]) for row in claims] == sorted({claim.number for claim in found.book.claims})
    assert [row[0] for row in questions] == [claim.claim for claim in found.book.questions]
    told = {id_ for _, parts in frontpage.CLAIMS.values() for id_ in parts}
    assert told == {claim.id for claim in found.book.claims if not claim.reading}


def test_three_seeds_decide_nothing_whatever_they_show(found):
    first = rows(frontpage.claims(found))[0]
    assert "hold" in first[2] and first[3].startswith("0 to 3 of ") and "reproduced" not in first[4]
    assert documents._runs("fig1")(found).startswith("18 of ")


def test_the_findings_are_those_of_the_results(found):
    solved, hard = frontpage.findings(found).splitlines()[:2]
    assert "the homotopy solves 3 of 3" in solved and "warm start solves 0 of 3" in solved and "nobody" not in solved
    assert "Not run" in hard


def test_what_unseen_seeds_show_stands_apart(tmp_path):
    place = Place(tmp_path, "quick")
    save_experiment("fig1", place, lambda config, seed: 0.1 if seed == 2 else LOSSES[config.method.name], seeds=3)
    found = Findings(Library(place))
    found.book = replace(found.book, known=2)
    table = abstract.solved(found.library, found.book)
    said = abstract.headline(table, found.book)
    assert said.index("homotopy solves 2 of 3") < said.index("nobody") < said.index("homotopy solves 0 of 1")
    assert said in frontpage.findings(found).splitlines()[0]
    assert "unseen seeds | 0 of 1" in solved_text(table)


def test_beside_a_lead_stands_what_unseen_seeds_show_alone():
    ratio, alone = Interval(9.0, 4.0, 12.0, 12), Interval(7.0, 3.0, 8.0, 2)
    row = Row("omega 137, against random", "holds", 12, 40, ratio, unseen=Row("", "open", 2, 30, alone))
    judged = Judged(next(claim for claim in rules.read().claims if claim.id == "annealed"), [row], "open", "paper")
    first, later = abstract.ahead(judged).split(" On the ")
    assert "9 [4, 12]" in first and "holds" in first and later.startswith("2 seeds")
    assert "7 [3, 8]" in later and "open" in later
    assert "nobody" not in abstract.ahead(judged._replace(rows=[row._replace(unseen=None)]))


def test_the_first_screen_says_where_the_literal_loss_disagrees(found):
    lowest = found.named("sine-lowest")
    ratio = Interval(2.0, 1.5, 3.0, 9)
    rows = [Row("a", "holds", 9, 9, ratio, literal=Row("a", "open", 9, 9, ratio))]
    (said,) = lowest._replace(rows=rows).remarks
    assert said in frontpage._verdict(lowest._replace(rows=rows))
    assert frontpage._verdict(lowest)[-2:] == "**"


def test_the_first_screen_counts_what_came_out_the_other_way_round_too(found):
    faster = found.named("sine-faster")
    came = ("holds", "reversed", "reversed", "open")
    rows = [Row("a", outcome, 9, 9, Interval(2.0, 1.5, 3.0, 9)) for outcome in came]
    said = frontpage._count(faster._replace(rows=rows))
    assert "1 of 4" in said and "2 reversed" in said and "1 open" in said
    assert "reversed" not in frontpage._count(faster._replace(rows=rows[:1]))


def test_the_advice_has_a_number_and_a_command_for_every_case_that_was_run(found):
    table = rows(advice.advice(found))
    assert len(table) == 5 and all("experiment=" in command for *_, command in table)
    said = [text for _, _, text, _ in table]
    assert "the homotopy solves 3 of 3, warm start 0 of 3, random initialisation 0 of 3" in said[1]
    assert said[2] == said[3] == said[4] == "Not run yet."


def test_every_machine_has_its_column_of_speeds(found):
    head = documents.speed(found).splitlines()[0]
    assert head.index("fast |") < head.index("slow |")
    plain, _, _, jax, _, cifar = (row[1:] for row in rows(documents.speed(found)))
    assert (plain, jax, cifar) == (["5", "11"], ["2", "2"], ["7", "7"])


def test_what_is_inside_at_the_end_is_the_median_over_seeds_at_the_last_epoch(tmp_path):
    place = Place(tmp_path, "paper")
    columns = ["seed", "epoch", "dead", "dead_1", "dead_2", "dead_most", "amplitude_omega", "front", "back"]
    looks = [(seed, epoch, 1, seed / 10, epoch / 100, 1, seed / 4, seed, 1) for seed in (1, 2, 4) for epoch in (5, 25)]
    for method in why.SHOWN:
        path = training.file(place.folder, method, "epochs")
        path.parent.mkdir(parents=True, exist_ok=True)
        pd.DataFrame(looks, columns=columns).to_csv(path, index=False)
    table = documents.inside(Findings(Library(place)))
    assert table.splitlines()[0].count("dead") == 2  # a column for each layer there is
    assert [row[1:] for row in rows(table)] == [["20 %", "25 %", "0.5", "2", "1"]] * len(why.SHOWN)


def test_what_was_tried_on_images_has_both_targets_times_and_says_what_was_not_measured(found):
    told = {tuple(row[:2]): row[2:] for row in rows(documents.images_tried(found))}
    assert told.pop(("vgg_small", "one process per core")) == ["0.5, 0.75", "1.1, 0.75"]
    assert len(told) == 2 * len(documents._TRIED) - 1 and set(sum(told.values(), [])) == {"not measured"}


def test_every_comparison_on_images_has_its_outcome(tmp_path):
    place = Place(tmp_path, "paper")
    save_experiment("fig3a", place, lambda of, seed: 0.5 if of.method.name == "random" else 0.3)
    told = {tuple(row[:4]): row[4:] for row in rows(documents.image_rows(Findings(Library(place))))}
    random, warm = ("fig3a", "random init. over the homotopy"), ("fig3a", "warm start over the homotopy")
    assert [told[*random, "at least 1.1", name][2::2] for name in ("area", "epochs")] == [["100 %", "**holds**"]] * 2
    assert {told[*warm, "within 1.25", name][-1] for name in ("area", "epochs", "loss")} == {"**holds**"}
    assert len(told) == 28 and {row[-1] for key, row in told.items() if key[0] != "fig3a"} == {"**open**"}


def test_the_images_sentence_has_every_ratio_with_its_outcome(tmp_path):
    place = Place(tmp_path, "paper")
    save_experiment("fig3a", place, lambda of, seed: 0.5 if of.method.name == "random" else 0.25)
    meant, *targets = frontpage.findings(Findings(Library(place))).partition("**Images.** ")[2].splitlines()
    assert "below 1 the baseline is ahead" in meant
    (line,) = [target for target in targets if target.startswith("  - ")]
    assert line.startswith("  - On FashionMNIST: ")
    assert "random initialisation 1.41 (the rule asks for at least 1.1: holds)" in line
    assert "warm start 1 (the rule asks for within 1.25: holds)" in line
    assert not any("CIFAR-10:" in target for target in targets)


def test_an_opponent_that_is_compared_twice_is_named_with_where(tmp_path):
    place = Place(tmp_path, "paper")

    def ends(of, seed):
        return {"random": 0.5, "warmstart": 0.3 if of.budget.source == 5 else 0.2}.get(of.method.name, 0.25)

    save_experiment("slow_cifar", place, ends)
    text = frontpage.findings(Findings(Library(place)))
    (line,) = [line for line in text.splitlines() if line.startswith("  - On CIFAR-10")]
    named = [f"warm start (source {epochs}) {ratio}" for epochs, ratio in ((5, "1.1"), (10, "0.894"))]
    assert all(each in line for each in ("random initialisation 1.41", *named))


def test_a_number_is_that_of_its_row(found):
    assert documents.BLOCKS["share_that_left"](found) == "0.505"


def test_stale_blocks_are_found_and_mended_in_a_line_and_as_paragraphs(found):
    text = (
        "Of these <!-- begin share_that_left -->0.4<!-- end share_that_left --> left.\n"
        "<!-- begin bounds -->\n<!-- end bounds -->\nbetween\n"
        "<!-- begin bounds -->\n| a |\n| --- |\n<!-- end bounds -->\n"
    )
    assert documents.stale(text, found) == ["share_that_left", "bounds"]
    mended = documents.updated(text, found)
    assert documents.stale(mended, found) == []
    assert mended == text.replace("0.4", "0.505").replace("-->\n<!-- end", "-->\n| a |\n| --- |\n<!-- end", 1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<!-- begin nothing --><!-- end nothing -->", "block nothing: must be one of findings"),
        ("<!-- begin bounds --> and so on", "bounds"),
        ("<!-- begin bounds --><!-- end bound -->", "bounds"),
        ("<!-- begin statements --><!-- end statements -->", "block statements: .* does not have it"),
        ("<!-- begin share_outside_next_ball --><!-- end share_outside_next_ball -->", "does not have it"),
    ],
)
def test_a_block_that_cannot_be_made_is_one_line(found, text, said):
    for work in (documents.stale, documents.updated):
        with pytest.raises(ResultError, match=said):
            work(text, found)


def test_the_script(found, tmp_path):
    path = tmp_path / "README.md"
    path.write_text("<!-- begin share_that_left -->7<!-- end share_that_left -->")

    def run(mode):
        options = [f"results.root={found.library.place.results}", "profile=quick", f"file={path}"]
        command = [sys.executable, "scripts/readme.py", mode, *options]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True).returncode

    assert [run(mode) for mode in ("--check", "--write", "--check", "--mend")] == [1, 0, 0, 2]


def test_the_documents_show_the_committed_results():
    found = Findings(Library(Place(ROOT / "results", "paper")))
    shown = set()
    for path in documents.documents():
        text = path.read_text()
        assert documents.stale(text, found) == [], path
        shown |= {name for name in documents.BLOCKS if f"<!-- begin {name} -->" in text}
    assert shown == set(documents.BLOCKS)


def test_tasks_with_unseen_seeds_are_named(tmp_path):
    place = Place(tmp_path, "quick")
    save_experiment("fig1", place, lambda config, seed: 0.1, seeds=3)
    save_experiment("fig2b", place, lambda config, seed: 0.1, seeds=2)
    assert frontpage.later_seeds(Findings(Library(place))) == "none"
    found = Findings(Library(place))
    found.book = replace(found.book, known=1)
    assert frontpage.later_seeds(found) == "omega 74 (2), omega 137 (2), omega 137 with annealing (1)"
