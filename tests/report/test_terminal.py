import io
import re
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from fetal_seg.evaluation.comparison import compare_all
from fetal_seg.evaluation.contenders import average_repeats
from fetal_seg.evaluation.runs import Run, RunStatus
from fetal_seg.evaluation.summary import summarise
from fetal_seg.measurement.biometry import TRIMESTER_LIMITS_MM
from fetal_seg.report.terminal import comparison_table, failures_table, predictions_table, summary_table
from tests.rows import ERROR, NO_HEAD, ROWS, head
from tests.run_folders import scores


def printed(table, width=80):
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(table)
    return console.export_text()


@pytest.mark.parametrize("rows", [[], ROWS], ids=["none", "all"])
def test_the_table_fits_a_terminal(rows):
    text = io.StringIO()
    Console(file=text, width=80).print(summary_table(summarise(rows)))
    shown = text.getvalue()
    assert max(map(len, shown.splitlines())) <= 80
    assert "…" not in shown
    if rows:
        assert "5 images, 1 missed" in shown
        assert "76.20" in shown  # the mean Dice, %
        assert all(f"{limit:g}" in shown for limit in TRIMESTER_LIMITS_MM)


def test_the_comparison_shows_how_far_others_are_from_the_best():
    good, poor = scores(0.96), scores(0.94, seed=1)
    contenders = [average_repeats(label, [rows]) for label, rows in (("poor", poor), ("good", good))]
    text = printed(comparison_table(contenders, compare_all(contenders)), 200)
    difference = 100 * np.mean([a["ellipse_dice"] - b["ellipse_dice"] for a, b in zip(good, poor, strict=True)])
    lines = [line.split() for line in text.splitlines() if "%" in line or "ADF" in line][1:]
    assert lines[0][:5] == ["good", "ellipse", "Dice,", "%", "96.00"]
    assert lines[0][5:] == lines[1][3:] == ["–"] * 3
    assert lines[2][:6] == ["poor", "ellipse", "Dice,", "%", "94.00", f"−{difference:.2f}"]
    assert lines[3][:3] == ["ADF,", "mm", "6.00"]


def test_jobs_without_a_result_are_named_with_their_cause():
    failed = Run(Path("sweep/4"), "4", {"model": "unet", "seed": "1"}, status=RunStatus.FAILED, cause="no memory")
    text = printed(failures_table([failed, Run(Path("sweep/5"), "5", {"model": "lite"})]))
    assert re.search(r"4 +model=unet seed=1 +failed +no memory", text)
    assert re.search(r"5 +model=lite +not started", text)


def test_the_terminal_shows_what_was_measured():
    text = printed(predictions_table([head("x.png"), head("y.png", 100.0), NO_HEAD, ERROR]), 120)
    lines = text.splitlines()
    assert re.search(r"x\.png +145\.9 ±2\.5 +40\.6 +52\.0 +78\.0 +17 w 6 d +ok", text)
    assert any("abdomen.png" in line and "no head" in line for line in lines)
    assert any("empty.dcm" in line and "error: empty.dcm: it is" in line for line in lines)
    assert "more" not in text


@pytest.mark.parametrize("width", [80, 100])
def test_nothing_is_cut_at_the_width_of_a_common_terminal(width):
    name = "a/very/long/path/to/an/image_with_a_name_of_many_letters.png"
    reasons = ["the head touches the frame", "ellipse and mask disagree (Dice 93 %)"]
    rows = [head(name, flag="check", reasons=reasons, frame=12), head("b.png", 400.0), head(pixel_size=None)]
    text = printed(predictions_table(rows), width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    squeezed = re.sub(r"\s", "", text)
    for part in ("291.9±2.5", "81.1", "78.0", "31w6d", "1123px"):
        assert part in squeezed
    column = "".join(line.split(" ")[0] for line in text.splitlines())
    assert name in column
    words = {word for line in text.splitlines() for word in line.split()}
    assert set(" ".join(reasons).split()) <= {word.strip(";") for word in words}


def test_many_rows_are_the_first_ones_and_a_count():
    rows = [head(f"{index:02}.png") for index in range(30)]
    text = printed(predictions_table(rows, most=5))
    assert "04.png" in text
    assert "05.png" not in text
    assert "and 25 more: see predictions.csv" in text
    assert "more" not in printed(predictions_table(rows[:5], most=5))


def test_names_are_no_markup_and_flags_have_colours():
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(predictions_table([head("[red]a[/].png"), NO_HEAD]))
    styled = console.export_text(styles=True)
    assert "[red]a[/].png" in styled
    assert "\x1b[32mok" in styled
    assert "\x1b[35mno head" in styled
