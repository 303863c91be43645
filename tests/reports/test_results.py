"""reports/results.yaml, and the page and tables content of metrics/results."""

import json
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from reports.markdown import fill_section
from reports.results import (
    PAGE,
    collect,
    collected,
    differences,
    experiment,
    read_experiments,
    read_repeats,
    read_rows,
    repeat,
    run,
    settings_of,
)
from reports.results_page import (
    command_of,
    commands,
    degraded_table,
    draw_curves,
    draw_scatter,
    repeats_list,
    results_table,
    short_results,
    short_results_table,
    split_at_gaps,
)
from srmodels.errors import ProtocolError
from srmodels.params import parse
from tests.reports.test_recipes import MACHINE, runs, write_metrics

ROOT = Path(__file__).parents[2]
EXPERIMENTS = read_experiments(ROOT / "reports" / "results.yaml")
SETS = ("Set5", "BSD100")


def changed(values, settings):
    """params.yaml's values with settings as `-S` gives them; new keys want `++` there."""
    for setting in settings:
        key, _, value = setting.partition("=")
        *path, last = key.removeprefix("++").split(".")
        place = values
        for name in path:
            place = place[name]
        assert key.startswith("++") or last in place, f"DVC refuses {key}"
        place[last] = YAML(typ="safe").load(value)
    return values


def result(tmp_path, row="srgan", **changes):
    write_metrics(tmp_path / "metrics")
    path = tmp_path / "metrics" / "evaluate.json"
    metrics = json.loads(path.read_text())
    path.write_text(json.dumps(metrics | dict.fromkeys(SETS, metrics["test"])))
    (tmp_path / "plots").mkdir(exist_ok=True)
    for stage in ("pretrain", "gan"):
        text = "step,validation_psnr_y,validation_ssim_y\n50,29.5,0.8\n100,30.25,0.82\n"
        (tmp_path / "plots" / f"{stage}_validation.csv").write_text(text)
    content = collected(row, tmp_path, runs(preset="bsds400"))
    assert content["device"] == MACHINE
    return content | {"commit": "0123456789", "device": "CPU, 2 cores, AVX512"} | changes


@pytest.mark.parametrize("row", EXPERIMENTS)
def test_every_row_is_a_configuration_that_the_pipeline_takes(row) -> None:
    values = YAML(typ="safe").load(ROOT / "params.yaml")
    folders = "evaluate.sets", "evaluate.degraded"  # sets that only the shell knows
    settings = [each for each in settings_of(row) if not any(key in each for key in folders)]
    params = parse(changed(values, settings))
    assert params.preset == "bsds400"
    assert params.recipe.generator is not None


def test_a_row_that_is_not_there_is_refused() -> None:
    with pytest.raises(ProtocolError, match=r"has no row 'esr'\. "):
        settings_of("esr")


def test_a_command_leaves_the_folders_to_the_shell() -> None:
    command = command_of("a", ["model=srcnn", "data.photos=${BSDS400}", "x={Set5: ${B}/Set5}"])
    settings = '-S model=srcnn -S "data.photos=${BSDS400}" -S "x={Set5: ${B}/Set5}"'
    assert command == f"dvc exp run --name a {settings}"


def test_a_result_has_all_sets_and_the_curves(tmp_path) -> None:
    content = result(tmp_path)
    assert content["further"]["Set5"]["generator"]["psnr_y"] == 31.0
    curve = [[50, 29.5], [100, 30.25]]
    assert content["curves"] == {"pretrain": curve, "gan": curve}
    assert (content["seed"], content["settings"]) == (0, settings_of("srgan"))


@pytest.mark.parametrize("command", [collect, run])
def test_a_row_is_saved_with_what_mlflow_did_not_know(
    tmp_path, monkeypatch, capsys, command
) -> None:
    content = result(tmp_path, device="not recorded")
    monkeypatch.setattr("reports.results.RESULTS", tmp_path)
    monkeypatch.setattr("reports.results.experiment", lambda row: f"{row}-0123456")
    monkeypatch.setattr("reports.results.collected_from", lambda *_: content)
    command("srgan", "v1") if command is collect else command(["srgan"])
    printed = capsys.readouterr()
    assert json.loads((tmp_path / "srgan.json").read_text()) == content
    assert printed.out == f"{tmp_path / 'srgan.json'}\n"
    assert "srgan.json: MLflow does not name the machine" in printed.err


def test_a_gan_has_a_line_for_its_pretrained_generator(tmp_path) -> None:
    lines = results_table([result(tmp_path)]).splitlines()[2:-2]
    assert [line.split(" | ")[0] for line in lines] == [
        "| bicubic",
        "| srgan, pretrained",
        "| srgan",
    ]
    assert lines[1].endswith("| 171,984 | 0.7 | 20 |")
    assert lines[2].endswith("| 171,984 | 0.7 + 1.1 | 20 + 5 |")


def test_a_repetition_differs_in_scores_and_curves_not_in_its_time_and_place(tmp_path) -> None:
    first = json.loads(json.dumps(result(tmp_path)))
    second = json.loads(json.dumps(result(tmp_path, commit="fedcba9876", training={})))
    assert not differences(first, second)
    second["scores"]["generator"]["psnr_y"] += 1e-9
    second["curves"]["gan"][-1][1] = 30.0
    assert differences(first, second) == ["curves/gan", "scores/generator/psnr_y"]


def test_a_repetition_with_more_scores_than_the_saved_row_is_compared_in_those_of_both(
    tmp_path,
) -> None:
    saved = json.loads(json.dumps(result(tmp_path)))
    again = json.loads(json.dumps(saved))
    again["settings"] += ["evaluate.perceptual=lpips", "++evaluate.sets.Set14=/Set14"]
    again["scores"]["generator"]["lpips"] = 0.1
    again["further"]["Set14"] = again["further"]["Set5"]
    assert not differences(saved, again)
    again["settings"].append("model=edsr")
    assert differences(saved, again) == ["settings"]


def test_a_row_that_never_ran_cannot_be_repeated(monkeypatch) -> None:
    monkeypatch.setattr("reports.results.read_rows", list)
    with pytest.raises(ProtocolError, match="has no srgan to compare with"):
        repeat(["srgan"])


def test_a_repetition_of_an_earlier_result_is_not_shown(tmp_path) -> None:
    outcome = {"row": "srgan", "commit": "fedcba9876", "device": "CPU", "differences": []}
    outcomes = [outcome | {"repeated": commit} for commit in ("0123456789", "ffffffffff")]
    shown = repeats_list(outcomes, [result(tmp_path)])
    assert shown == "- **srgan**, commit fedcba9876, CPU: the same"


def test_results_of_other_pictures_are_not_mixed(tmp_path) -> None:
    other = json.loads(json.dumps(result(tmp_path)))
    other["further"]["Set5"]["bicubic"]["psnr_y"] = 28.0
    with pytest.raises(ProtocolError, match="other pictures"):
        results_table([result(tmp_path), other])


def test_the_page_and_the_readme_show_the_files() -> None:
    results = read_rows()
    table, page = results_table(results), PAGE.read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert fill_section(page, "results", table) == page
    assert fill_section(page, "degraded", degraded_table(results)) == page
    assert fill_section(page, "commands", commands(results)) == page
    assert fill_section(page, "repeats", repeats_list(read_repeats(), results)) == page
    assert fill_section(readme, "results", short_results_table(results)) == readme


def test_rows_that_were_scored_on_degraded_lr_have_a_table(tmp_path) -> None:
    plain, degraded = result(tmp_path), json.loads(json.dumps(result(tmp_path)))
    assert degraded_table([plain]) == ""
    degraded["further"]["BSD100_degraded"] = {
        "bicubic": {"psnr_y": 21.5, "lpips": 0.7, "niqe": 6.0},
        "pretrained": {"psnr_y": 21.6, "lpips": 0.65, "niqe": 5.9},
        "generator": {"psnr_y": 21.25, "lpips": 0.6123, "niqe": 5.123},
    }
    assert degraded_table([plain, degraded]).splitlines()[2:] == [
        "| bicubic | 21.50 | 0.700 | 6.00 |",
        f"| {degraded['row']}, pretrained | 21.60 | 0.650 | 5.90 |",
        f"| {degraded['row']} | 21.25 | 0.612 | 5.12 |",
    ]


def scored(row, psnr_y, minutes, **lpips):
    """A row's result; with a GAN phase if it has LPIPS."""
    training = {"pretrain": {"minutes": minutes}} | ({"gan": None} if lpips else {})
    further = {"BSD100": {"generator": {"psnr_y": psnr_y, **lpips}}}
    return {"row": row, "training": training, "further": further}


def test_the_readme_shows_what_no_faster_row_equals_and_then_gans() -> None:
    rows = [
        scored("slow", 27.4, 20.0),
        scored("worse", 27.1, 9.0),
        scored("fast", 27.2, 1.0),
        *(scored(f"gan{place}", 25.0, 1.0, lpips=0.5 - place / 100) for place in range(7)),
    ]
    shown = [result["row"] for result in short_results(rows)]
    assert shown == ["fast", "slow", "gan6", "gan5", "gan4", "gan3", "gan2"]


def test_a_fine_tuning_has_a_line_for_its_start_and_no_curve(tmp_path) -> None:
    trained = result(tmp_path)
    tuned = json.loads(json.dumps(trained))
    del tuned["curves"]["pretrain"], tuned["training"]["pretrain"]
    lines = results_table([tuned]).splitlines()[3:5]
    assert lines[0].endswith("| 171,984 | - | - |")
    assert lines[1].endswith("| 171,984 | 1.1 | 5 |")
    draw_curves([tuned, trained], tmp_path / "a.png")
    assert "| yes |" in short_results_table([tuned])


def test_a_row_names_the_variable_that_it_lacks(monkeypatch) -> None:
    for name in ("BSDS400", "BENCHMARKS"):
        monkeypatch.setenv(name, "/some/folder")
    monkeypatch.delenv("X4PLUS", raising=False)
    with pytest.raises(ProtocolError, match=r"^X4PLUS: not set\. Export the absolute path"):
        experiment("finetune")


def test_a_curve_far_below_the_others_has_a_panel_of_its_own() -> None:
    last = {"srresnet-30": 27.75, "realesrgan": 25.2, "srcnn": 27.0}
    rows = [{"row": row, "curves": {"pretrain": [[9, psnr]]}} for row, psnr in last.items()]
    groups = [[row["row"] for row in group] for group in split_at_gaps(rows)]
    assert groups == [["srresnet-30", "srcnn"], ["realesrgan"]]


def test_the_pictures_are_drawn_the_same_each_time(tmp_path) -> None:
    for draw in (draw_curves, draw_scatter):
        drawn = []
        for name in ("a.png", "b.png"):
            draw([result(tmp_path)], tmp_path / name)
            drawn.append((tmp_path / name).read_bytes())
        assert drawn[0] == drawn[1]
