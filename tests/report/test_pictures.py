import weakref

import numpy as np
import pytest
from PIL import Image

from fetal_seg.evaluation.metrics import dice
from fetal_seg.geometry.ellipse import Ellipse
from fetal_seg.images.drawing import BACKGROUND, PREDICTION, TRUTH
from fetal_seg.report import pictures
from fetal_seg.report.pictures import GAP, Panel

TILE = (582, 196)  # px: two images of 290 with 2 between, without the caption


HEAD = {
    **{"semi_axis_a_px": 200.0, "hc_mm": 172.34, "hc_px": 1266.0, "hc_low_mm": 169.88, "hc_high_mm": 174.8},
    **{"ga_intergrowth_weeks": 20.02, "flag": "ok", "reasons": []},
}


def panel(grey=100, height=54, width=80, name="000_HC.png"):
    head = Ellipse(width / 2, height / 2, height * 0.4, height * 0.3, 0.3)
    image = np.full((height, width), grey, np.uint8)
    return Panel(image, name, head.rasterise(height, width), head, head)


def row(index, ellipse_dice, **more):
    return {"file": f"{index:03}_HC.png", "examination": str(index), "ellipse_dice": ellipse_dice, **more}


def read(path):
    return np.asarray(Image.open(path))


class Source:
    """Panels made when they are asked for; knows how many of their images are still held by others."""

    def __init__(self):
        self.names, self.alive, self.most_alive = [], weakref.WeakSet(), 0

    def load(self, row):
        made = panel(name=row["file"])
        self.names.append(row["file"])
        self.alive.add(made)
        self.most_alive = max(self.most_alive, len(self.alive))
        return made


@pytest.mark.parametrize(("height", "width"), [(540, 800), (60, 90), (800, 300), (3, 3)])
def test_what_is_drawn_scales_with_its_image(height, width):
    large = panel(height=height, width=width)
    small = large.fitted(290, 196)
    assert small.image.shape == small.mask.shape
    assert small.image.shape[0] == 196 or small.image.shape[1] == 290
    assert (small.image == 100).all()
    assert small.prediction.circumference == pytest.approx(
        large.prediction.circumference * small.image.shape[0] / height, rel=0.01
    )
    y, x = (np.array([height, width]) * (np.array(small.image.shape) / (height, width)) - 1) / 2  # of the middle
    middle = Panel(large.image, "", prediction=Ellipse((width - 1) / 2, (height - 1) / 2, 2, 1, 0)).fitted(290, 196)
    assert (middle.prediction.center_x, middle.prediction.center_y) == pytest.approx((x, y), abs=1e-6)
    if height > 3:
        assert dice(small.mask, small.prediction.rasterise(*small.image.shape)) > 0.97


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"hc_pred_mm": 175.64, "df_mm": 1.26}, "000_HC.png Dice 97.12 % HC 175.6 mm (+1.3)"),
        ({"hc_pred_mm": 175.64, "df_mm": -0.04}, "000_HC.png Dice 97.12 % HC 175.6 mm (+0.0)"),
        ({}, "000_HC.png Dice 97.12 %"),
        ({"ellipse_dice": 0.0, "ellipse_hd_mm": np.inf}, "000_HC.png Dice 0.00 % no head found"),
    ],
)
def test_the_caption_of_an_evaluation(more, expected):
    assert " ".join(pictures.evaluation_caption(row(0, 0.97123) | more).split()) == expected


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"semi_axis_a_px": 200.0, "hc_mm": 175.64}, "a b.png HC 175.6 mm"),
        ({"semi_axis_a_px": 200.0, "hc_mm": None}, "a b.png pixel size unknown"),
        ({"flag": "no head"}, "a b.png no head found"),
        (HEAD, "a b.png HC 172.3 mm (169.9 to 174.8) GA 20 w 0 d"),
        (HEAD | {"frame": 12, "hc_low_mm": None}, "a b.png #12 HC 172.3 mm GA 20 w 0 d"),
        (HEAD | {"frame": 0, "ga_intergrowth_weeks": "out of range"}, "a b.png #0 HC 172.3 mm (169.9 to 174.8)"),
        (
            HEAD | {"flag": "check", "reasons": ["contrast too low (9 grey values)", "it is odd"]},
            "a b.png HC 172.3 mm (169.9 to 174.8) GA 20 w 0 d check: contrast too low (9 grey values); it is odd",
        ),
        (
            {"semi_axis_a_px": 200.0, "hc_px": 812.4, "flag": "ok", "reasons": ["pixel size unknown"]},
            "a b.png HC 812 px (pixel size unknown)",
        ),
        ({"flag": "no head", "reasons": ["nothing looks like a head"], "frame": 3}, "a b.png #3 no head found"),
        (
            {"flag": "error", "reasons": ["it is empty; copy it again"]},
            "a b.png cannot be read: it is empty; copy it again",
        ),
    ],
)
def test_the_caption_of_a_prediction(more, expected):
    assert " ".join(pictures.prediction_caption({"file": "a b.png"} | more).split()) == expected


def test_of_no_image_there_is_no_picture(tmp_path):
    pictures.draw_best_and_worst([], Source().load, tmp_path / "picture.png")
    assert not (tmp_path / "picture.png").exists()


def test_the_best_and_worst_are_chosen_by_the_ellipse_and_loaded_one_at_a_time(tmp_path):
    scores = np.random.default_rng(0).permutation(np.linspace(0.5, 0.99, 50))
    rows = [row(index, score) for index, score in enumerate(scores)]
    rows[7]["ellipse_dice"] = None  # missed: the worst of all
    source = Source()
    pictures.draw_best_and_worst(rows, source.load, tmp_path / "picture.png")
    ranked = [row["file"] for row in sorted(rows, key=lambda row: row["ellipse_dice"] or 0, reverse=True)]
    assert source.names == ranked[:8] + ranked[:-9:-1]
    assert source.names[8] == "007_HC.png"
    assert source.most_alive <= 2
    picture = read(tmp_path / "picture.png")
    assert picture.shape[1] == 4 * (480 + GAP) + GAP  # two blocks of two rows of four
    assert picture.shape[0] > 4 * 324
    for colour in (PREDICTION, TRUTH):  # the legend of each block
        assert (picture[:40, -300:] == colour).all(axis=2).any()


@pytest.mark.parametrize(("count", "best", "worst"), [(1, 1, 0), (5, 3, 2), (16, 8, 8), (17, 8, 8)])
def test_of_few_images_each_is_shown_once(count, best, worst, tmp_path):
    source = Source()
    rows = [row(index, 1 - index / 100) for index in range(count)]
    pictures.draw_best_and_worst(rows, source.load, tmp_path / "picture.png")
    names = [row["file"] for row in rows]
    assert source.names == names[:best] + names[::-1][:worst]


def test_reasons_are_wrapped_between_their_words():
    row = {"file": "a b.png"} | HEAD | {"flag": "check", "reasons": ["ellipse and mask disagree"]}
    assert pictures.prediction_caption(row).endswith("   check: ellipse and mask disagree")  # spaces that can break


def contact_sheet(panels, folder, **settings):
    sheet = pictures.ContactSheet(folder, **settings)
    for each in panels:
        sheet.add(sheet.thumbnail(each))
    return sheet.finish()


def test_a_contact_sheet_shows_each_image_beside_its_segmentation_in_reading_order(tmp_path):
    greys = list(range(40, 40 + 3 * 60, 3))
    assert contact_sheet((panel(grey) for grey in greys), tmp_path, picture_format="png") == [
        tmp_path / "contact_sheet.png"
    ]
    sheet = read(tmp_path / "contact_sheet.png")
    assert sheet.shape[1] == 5 * (TILE[0] + GAP) + GAP
    third = sheet[:, GAP + 2 * (TILE[0] + GAP)]  # no text is above the third column
    top, below = (np.flatnonzero((third == greys[index]).all(axis=1))[0] for index in (2, 7))
    step = below - top
    for index, grey in enumerate(greys):
        y, x = top + index // 5 * step, GAP + index % 5 * (TILE[0] + GAP)
        bare, drawn = sheet[y : y + TILE[1], x : x + 290], sheet[y : y + TILE[1], x + 292 : x + 582]
        assert (bare == grey).all()
        assert (drawn[:5, :5] == grey).all()
        middle = drawn[TILE[1] // 2, 145].astype(int)
        assert middle[0] - middle[2] > 20  # tinted
        caption = sheet[y + TILE[1] : y + step, x : x + 582]
        assert (caption.min(axis=2) > 150).any()  # text below
    assert sheet.shape[0] == top + 12 * step


@pytest.mark.parametrize("sizes", [[(54, 80)], [(54, 80), (80, 30), (6, 9), (20, 100), (5, 5), (1, 1), (70, 70)]])
def test_a_contact_sheet_of_one_or_of_different_images(sizes, tmp_path):
    panels = (panel(200, height, width, f"a_long_name_{height}_{width}.png" * 3) for height, width in sizes)
    contact_sheet(panels, tmp_path, picture_format="png")
    sheet = read(tmp_path / "contact_sheet.png")
    columns = (sheet.shape[1] - GAP) / (TILE[0] + GAP)
    assert columns == (1 if len(sizes) == 1 else 2)
    assert sheet.shape[0] > TILE[1] * np.ceil(len(sizes) / columns)
    assert (sheet[-2:] == BACKGROUND).all()


def test_a_contact_sheet_holds_no_images_and_goes_on_on_the_next_page(tmp_path):
    source = Source()
    panels = (source.load({"file": str(index)}) for index in range(11))
    pages = contact_sheet(panels, tmp_path / "many", columns=2, per_page=4)
    assert len(source.names) == 11
    assert source.most_alive <= 2
    assert pages == [tmp_path / "many" / f"contact_sheet_{number}.jpg" for number in (1, 2, 3)]
    assert sorted((tmp_path / "many").iterdir()) == pages
    (four,) = contact_sheet((panel() for _ in range(4)), tmp_path, columns=2, per_page=4)
    assert four == tmp_path / "contact_sheet.jpg"
    assert {read(path).shape for path in pages} == {read(four).shape}


def test_only_the_tiles_of_one_page_are_held(tmp_path, monkeypatch):
    tiles, most = weakref.WeakSet(), 0

    class Watched(np.ndarray):
        __hash__ = object.__hash__

    tile = pictures._tile

    def watched(*parts, **more):
        made = tile(*parts, **more).view(Watched)
        tiles.add(made)
        return made

    monkeypatch.setattr(pictures, "_tile", watched)
    sheet = pictures.ContactSheet(tmp_path, per_page=3)
    for _ in range(10):
        sheet.add(sheet.thumbnail(panel()))
        most = max(most, len(tiles))
    assert most == 3
    assert len(sheet.finish()) == 4


def test_a_later_sheet_leaves_no_page_of_an_earlier_one(tmp_path):
    (tmp_path / "contact_sheet_of_mine.png").touch()
    contact_sheet((panel() for _ in range(2)), tmp_path, picture_format="png")
    pages = contact_sheet((panel() for _ in range(5)), tmp_path, per_page=2)
    assert sorted(tmp_path.glob("contact_sheet*[0-9t].*")) == pages
    (page,) = contact_sheet([panel()], tmp_path, per_page=2)
    assert sorted(tmp_path.iterdir()) == [page, tmp_path / "contact_sheet_of_mine.png"]


def test_a_sheet_of_nothing_is_no_file(tmp_path):
    assert contact_sheet([], tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_no_file(tmp_path):
    def panels():
        yield panel()
        raise RuntimeError("the disk is gone")

    with pytest.raises(RuntimeError, match="the disk is gone"):
        contact_sheet(panels(), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_contact_sheet_ends_after_so_many_pages(tmp_path):
    sheet = pictures.ContactSheet(tmp_path, per_page=2, most_pages=2)
    thumbnail = sheet.thumbnail(pictures.Panel(np.zeros((40, 60), np.uint8), "a.png"))
    for shown in (1, 2, 3, 4, 4, 4):
        sheet.add(thumbnail)
        assert (sheet.shown, sheet.is_full) == (shown, shown == 4)
    assert [path.name for path in sheet.finish()] == ["contact_sheet_1.jpg", "contact_sheet_2.jpg"]
    none = pictures.ContactSheet(tmp_path, most_pages=0)
    none.add(thumbnail)
    assert none.is_full
    assert none.finish() == list(tmp_path.iterdir()) == []
