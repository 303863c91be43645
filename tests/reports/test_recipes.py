"""The table of recipes, from metrics files and tracked runs of a made-up repository."""

import json

import pytest

from reports.markdown import fill_sections
from reports.recipes import device_of, gaps, read_results, recipes_table, result_of
from srmodels.errors import ProtocolError, TrainingError
from tests.runs.test_times import PARAMS, SPEED, FakeRuns

SCORES = {"psnr_y": 30.5, "ssim_y": 0.82, "sharpness": 0.1, "colour_shift": 0.5, "shift_l": 0.0}
MACHINE = "AMD EPYC, cores: 64, threads: 64, PyTorch 2.14.1"
SCORED = "evaluate/test/generator/psnr_y"


def write_metrics(folder, *, psnr_y=31.0, gan_steps=20, **further):
    """What the pipeline leaves in metrics/."""
    folder.mkdir(exist_ok=True)
    scored = {"bicubic": SCORES, "pretrained": SCORES, "generator": SCORES | {"psnr_y": psnr_y}}
    files = {
        "evaluate": {"test": scored | further, "protocol": {"scale": ["4"]}, "parameters": 171984},
        "pretrain": {"pretrain": {"steps": 100}},
        "gan": {"gan": {"steps": gan_steps}},
    }
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content))


def runs(psnr_y=31.0, **changes):
    points = {SPEED: [(100, 20.0)], "gan/images_per_second": [(20, 5.0)], SCORED: [(0, psnr_y)]}
    tags = {f"srmodels.machine.{stage}": MACHINE for stage in ("pretrain", "gan")}
    return FakeRuns((PARAMS | {"preset": "quickstart"} | changes, points, tags))


def collected(folder, recipe="srgan", **changes):
    write_metrics(folder, **changes)
    return result_of(recipe, folder, runs(model=recipe))


def test_a_result_has_the_tables_scores_and_the_times(tmp_path):
    result = collected(tmp_path)
    assert (result["recipe"], result["preset"], result["parameters"]) == (
        "srgan",
        "quickstart",
        171984,
    )
    assert list(result["scores"]) == ["bicubic", "pretrained", "generator"]
    assert list(result["scores"]["generator"]) == list(SCORES)[:4]
    assert result["training"]["pretrain"] == {"minutes": 0.67, "images_per_second": 20.0}
    assert result["training"]["gan"]["images_per_second"] == 5


def test_the_machine_is_the_one_that_trained_not_the_one_that_collects(tmp_path):
    result = collected(tmp_path)
    assert result["device"] == MACHINE
    assert not gaps(result)


def test_a_machine_that_mlflow_does_not_name_is_not_guessed(tmp_path):
    write_metrics(tmp_path)
    tracked = runs()
    tracked.runs[0][2].clear()
    result = result_of("srgan", tmp_path, tracked)
    assert result["device"] == "not recorded"
    (gap,) = gaps(result)
    assert "does not name the machine of each training (got 'not recorded'). Train again" in gap
    assert recipes_table([result]).endswith("\n\nMachine: not recorded.")


def test_stages_that_trained_on_two_machines_name_both():
    assert device_of({"pretrain": "CPU", "gan": "CPU"}) == "CPU"
    assert device_of({"pretrain": "CPU", "gan": "GPU"}) == "pretrain: CPU; gan: GPU"
    assert device_of({"pretrain": "CPU", "gan": None}) == "pretrain: CPU; gan: not recorded"
    assert device_of({}) == "not recorded"


def test_metrics_of_another_recipes_run_are_not_collected(tmp_path):
    write_metrics(tmp_path)
    with pytest.raises(TrainingError, match="no run of edsr"):
        result_of("edsr", tmp_path, runs())


def test_a_line_shows_both_phases(tmp_path):
    line = recipes_table([collected(tmp_path)]).splitlines()[3]
    scores = "30.50 | 0.8200 | 31.00 | 0.8200 | - | 0.10 -> 0.10 | 0.50 | -"
    assert line == f"| srgan | {scores} | 171,984 | 0.7 + 1.1 | 20 + 5 |"


def test_lpips_is_shown_where_it_was_measured(tmp_path):
    result = collected(tmp_path)
    result["scores"]["pretrained"]["lpips"] = 0.18
    result["scores"]["generator"]["lpips"] = 0.1444
    older = collected(tmp_path, "edsr", gan_steps=0)
    lines = recipes_table([result, older]).splitlines()[3:5]
    assert [line.split(" | ")[5] for line in lines] == ["0.180 -> 0.144", "-"]


def test_bicubics_line_has_neither_parameters_nor_times(tmp_path):
    line = recipes_table([collected(tmp_path)]).splitlines()[2]
    assert line == "| bicubic | - | - | 30.50 | 0.8200 | - | 0.10 | 0.50 | - | - | - | - |"


def test_without_an_adversarial_phase_there_is_one_generator(tmp_path):
    line = recipes_table([collected(tmp_path, gan_steps=0)]).splitlines()[3]
    assert line.split(" | ")[1:3] == ["-", "-"]
    assert line.endswith("| 0.7 | 20 |")


def test_the_diversity_is_that_of_the_samples(tmp_path):
    result = collected(tmp_path, samples=SCORES | {"diversity": 1.234})
    assert recipes_table([result]).splitlines()[3].split(" | ")[8] == "1.23"


def test_times_that_nobody_knows_are_dashes(tmp_path):
    result = collected(tmp_path)
    result["training"]["pretrain"] = None
    assert "| - + 1.1 | - + 5 |" in recipes_table([result])


def test_results_on_other_pictures_do_not_stand_in_one_table(tmp_path):
    first, second = (collected(tmp_path, name) for name in ("srgan", "edsr"))
    second["scores"]["bicubic"] = SCORES | {"psnr_y": 28.0}
    with pytest.raises(
        ProtocolError, match=r"edsr\.json is of another preset or of other pictures"
    ):
        recipes_table([first, second])


def test_the_machines_stand_below_the_table(tmp_path):
    first, second = (collected(tmp_path, name) for name in ("srgan", "edsr"))
    assert recipes_table([first, second]).endswith(f"\n\nMachine: {first['device']}.")
    del second["device"]
    assert recipes_table([first, second]).endswith("\n- Machine of edsr: not recorded.")


def test_results_are_read_in_the_order_of_the_recipes(tmp_path):
    (tmp_path / "params.yaml").write_text("models: {srcnn: {}, srgan: {}, edsr: {}}")
    (tmp_path / "metrics" / "recipes").mkdir(parents=True)
    for name in ("edsr", "srgan"):
        path = tmp_path / "metrics" / "recipes" / f"{name}.json"
        path.write_text(json.dumps(collected(tmp_path / "metrics", name)))
    assert [result["recipe"] for result in read_results(tmp_path)] == ["srgan", "edsr"]


def test_the_table_replaces_what_stood_between_its_marks(tmp_path):
    page, table = tmp_path / "RECIPES.md", recipes_table([collected(tmp_path)])
    page.write_text("a\n<!-- recipes -->\nold\n<!-- /recipes -->\nb\n")
    fill_sections(page, {"recipes": table})
    assert page.read_text() == f"a\n<!-- recipes -->\n{table}\n<!-- /recipes -->\nb\n"
