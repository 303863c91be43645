"""MLflow's page in a real browser: two experiments compared, both curves drawn."""

import shutil

import pytest

from srmodels.engine.tracking.mlflow_run import RunFacts
from srmodels.engine.tracking.mlflow_tracker import Tracker
from srmodels.runs.experiments import newest
from srmodels.runs.store import comparison_page
from tests.mlflow_server import Server

BROWSER = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chrome"))), None)
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage"]  # as containers need them
PATIENCE = 240_000  # milliseconds; ten seconds are enough where nothing else runs

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="no Chromium on the path"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # mlflow's own
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def page():
    driver = pytest.importorskip("playwright.sync_api")
    with driver.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=BROWSER, args=FLAGS)
        page = browser.new_page(viewport={"width": 1600, "height": 900})
        page.set_default_timeout(PATIENCE)
        yield page
        browser.close()


@pytest.fixture
def ui(tmp_path, monkeypatch):
    """`mlflow ui` over three experiments, the first of which is not to be compared."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    for number, name in enumerate(("left-out", "red-fox", "blue-owl")):
        monkeypatch.setenv("DVC_EXP_NAME", name)
        facts = RunFacts(baseline="a" * 40, inputs={"seed": number}, params={"seed": number})
        with Tracker("pretrain", root=tmp_path, facts=facts) as one:
            one.begin(0, [])
            for step in range(10, 60, 10):
                one.log(step, {"pixel": 1 / (step + number)})
    server = Server(tmp_path, ui=True)
    server.start()
    yield server
    server.stop()


def test_the_page_of_two_experiments_draws_both_curves_into_one_chart(ui, page, tmp_path) -> None:
    runs = [run for run in newest(9, root=tmp_path) if run.name != "left-out"]
    assert len(runs) == 2
    address = comparison_page(runs[0].experiment, [run.id for run in runs])
    page.goto(address.replace("http://127.0.0.1:5000", ui.uri))
    page.locator(".scatterlayer .trace").nth(1).wait_for(state="attached")
    (chart,) = page.locator(".js-plotly-plot").all()
    lines = chart.evaluate("chart => chart.data.map(line => [line.name, line.x.length])")
    assert {tuple(line) for line in lines} == {("red-fox", 5), ("blue-owl", 5)}
    assert page.get_by_text("2 matching runs").is_visible()
