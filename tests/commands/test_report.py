import numpy as np
import pytest

from fetal_seg.commands.report import conclude_search
from tests.report.study.shown_report import Page, report
from tests.run_folders import scores, write_pictured_runs, write_run


@pytest.fixture
def pictured(tmp_path):
    return write_pictured_runs(tmp_path)


def test_costs_are_measured_and_the_most_disputed_images_drawn(pictured, tmp_path):
    page, rows = report(pictured, tmp_path / "out")
    assert rows[0]["parameters"] == rows[2]["parameters"] != rows[1]["parameters"]
    assert float(rows[0]["ms_per_image"]) > 0
    assert (tmp_path / "out" / "figures" / "cost_parameters.png").is_file()
    pictures = [image for image in page.named("img") if image["src"].startswith("data:image/jpeg")]
    assert len(pictures) == 18  # six images, as the best, the median and the worst see them
    assert "prediction" in page.text
    per_image = np.array([[row["ellipse_dice"] for row in scores(0.95 - n / 100, seed=n)] for n in range(3)])
    most = f"{per_image.std(axis=0).argmax():03d}_HC.png SD of Dice {100 * per_image.std(axis=0).max():.1f} points"
    assert most in page.text


def test_data_that_are_gone_are_told_in_a_sentence(pictured, tmp_path):
    (tmp_path / "data").rename(tmp_path / "elsewhere")
    page, _ = report(pictured, tmp_path / "out")
    assert "The images cannot be drawn: " in page.text
    assert str(tmp_path / "data") in page.text


def test_a_search_says_how_to_run_it_again(tmp_path):
    write_run(tmp_path / "search" / "0", ["model=unet"], scores(0.95))
    conclude_search(tmp_path / "search", ["/somewhere/search.py", "experiment=ablation", "search.space={depth: [3]}"])
    page = Page(tmp_path / "search" / "report.html")
    assert "python search.py experiment=ablation 'search.space={depth: [3]}'" in page.text
