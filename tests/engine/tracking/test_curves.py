from srmodels.engine.tracking.curves import Curve, read_points


def filled(path):
    curve = Curve(path)
    for step in (10, 20, 30):
        curve.add(step, {"generator/pixel": 1 / step, "learning_rate": 1e-4})
    return curve


def test_a_curve_reads_back_point_by_point(tmp_path) -> None:
    filled(tmp_path / "gan.csv")
    assert (20, "generator/pixel", 0.05) in read_points(tmp_path / "gan.csv")


def test_cutting_drops_later_rows_and_a_half_written_line(tmp_path) -> None:
    path = tmp_path / "gan.csv"
    filled(path)
    with path.open("a") as file:
        file.write("40,0.0")
    Curve(path).cut_after(20)
    assert path.read_text().splitlines()[-1] == "20,0.05,0.0001"


def test_a_cut_curve_goes_on_as_if_nothing_had_happened(tmp_path) -> None:
    filled(tmp_path / "whole.csv")
    cut = filled(tmp_path / "cut.csv")
    cut.cut_after(20)
    cut.add(30, {"generator/pixel": 1 / 30, "learning_rate": 1e-4})
    assert (tmp_path / "cut.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_a_missing_or_empty_curve_has_no_points(tmp_path) -> None:
    (tmp_path / "empty.csv").write_text("step\n")
    assert read_points(tmp_path / "none.csv") == read_points(tmp_path / "empty.csv") == []
