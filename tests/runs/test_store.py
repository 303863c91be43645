"""Where MLflow is, and the addresses of its pages."""

from srmodels.runs.store import comparison_page, run_page, tracking_uri


def test_a_server_wins_over_the_repositorys_store(tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert tracking_uri(tmp_path) == f"sqlite:///{tmp_path}/mlflow.db"
    assert run_page("1", "abc") == "http://127.0.0.1:5000/#/experiments/1/runs/abc"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://tracking.example.org/")
    assert tracking_uri(tmp_path) == "https://tracking.example.org/"
    assert run_page("1", "abc") == "https://tracking.example.org/#/experiments/1/runs/abc"


def test_the_comparison_page_shows_all_runs_or_the_named_ones(monkeypatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert "searchFilter" not in comparison_page("1")
    assert "run_id%20IN%20%28%27a%27%2C%20%27b%27%29" in comparison_page("1", ["a", "b"])
