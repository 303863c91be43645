"""Where MLflow is, and the addresses of its pages."""

import pytest
from sqlalchemy import create_engine

from srmodels.runs.store import (
    artifact_location,
    comparison_page,
    run_page,
    tracking_uri,
    without_password,
)


def test_a_server_wins_over_the_repositorys_store(tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert tracking_uri(tmp_path) == f"sqlite:///{tmp_path}/mlflow.db"
    assert (
        run_page("1", "abc")
        == "http://127.0.0.1:5000/#/experiments/1/runs/abc?workflowType=machine_learning"
    )
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://tracking.example.org/")
    assert tracking_uri(tmp_path) == "https://tracking.example.org/"
    assert (
        run_page("1", "abc")
        == "https://tracking.example.org/#/experiments/1/runs/abc?workflowType=machine_learning"
    )


@pytest.mark.parametrize("name", ["a%20b", "what?", "c#", "ü ñ", "100%", "a&b=c;d", "%", "{x}"])
def test_the_address_leads_to_the_database_whatever_the_folder_is_called(
    name, tmp_path, monkeypatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    root = tmp_path / name
    root.mkdir()
    engine = create_engine(tracking_uri(root))
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE x (y)")
    engine.dispose()
    assert [path.name for path in root.iterdir()] == ["mlflow.db"]
    assert artifact_location(root) == (root / "mlartifacts").as_uri()


def test_artifacts_lie_beside_the_database_that_the_variable_names(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/db/all.db")
    assert artifact_location(tmp_path / "repo") == (tmp_path / "db" / "mlartifacts").as_uri()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///all.db")  # DVC may run in a copy
    assert tracking_uri(tmp_path / "repo") == f"sqlite:///{tmp_path}/repo/all.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "postgresql://me:secret@host/db")
    assert tracking_uri(tmp_path) == "postgresql://me:secret@host/db"
    assert artifact_location(tmp_path) == (tmp_path / "mlartifacts").as_uri()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://host:5000")
    assert artifact_location(tmp_path) is None


def test_the_comparison_page_shows_all_runs_or_the_named_ones(monkeypatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert "searchFilter" not in comparison_page("1")
    assert "run_id%20IN%20%28%27a%27%2C%20%27b%27%29" in comparison_page("1", ["a", "b"])


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql://user:p@ss@host/mlflow", "postgresql://user:***@host/mlflow"),
        ("https://user:secret@host:5000", "https://user:***@host:5000"),
        ("http://host:5000/a@b", "http://host:5000/a@b"),
        ("sqlite:////srv/a:b@c/mlflow.db", "sqlite:////srv/a:b@c/mlflow.db"),
    ],
)
def test_messages_show_no_password(address, shown) -> None:
    assert without_password(address) == shown
