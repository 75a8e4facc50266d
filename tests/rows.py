"""Rows of evaluations and of predictions, as their tables have them, for tests of what reads them."""

import math

import numpy as np

from fetal_seg.geometry.ellipse import Ellipse
from fetal_seg.measurement.biometry import Biometry


def found(file, examination, true_mm, difference, dice):
    distances = {
        "hd_mm": 3 - 2 * dice,
        "hd95_mm": 2.5 - 2 * dice,
        "assd_mm": 1.5 - dice,
        "nsd_1mm": dice - 0.1,
        "ellipse_hd_mm": 2.9 - 2 * dice,
    }
    return {
        "file": file, "examination": examination, "dice": dice, "iou": dice / (2 - dice), "ellipse_dice": dice + 0.01,
        **distances, "hc_true_mm": true_mm, "hc_pred_mm": true_mm + difference,
        "df_mm": difference, "adf_mm": abs(difference),
    }  # fmt: skip


def missed(file, examination, true_mm):
    none = dict.fromkeys(("dice", "iou", "nsd_1mm", "ellipse_dice"), 0.0)
    infinite = dict.fromkeys(("hd_mm", "hd95_mm", "assd_mm", "ellipse_hd_mm"), math.inf)
    return {"file": file, "examination": examination, **none, **infinite, "hc_true_mm": true_mm, "hc_pred_mm": None}


ROWS = [
    found("000_HC.png", "000", 70.0, 0.5, 0.97),
    found("001_HC.png", "001", 180.0, -1.5, 0.95),
    found("001_2HC.png", "001", 181.0, 1.0, 0.96),
    found("002_HC.png", "002", 170.0, 2.5, 0.93),
    missed("003_HC.png", "003", 300.0),
]


def head(file="a.png", semi_axis=200.0, pixel_size=0.13, flag="ok", reasons=(), age=None, **more):
    ellipse = Ellipse(400, 270, semi_axis, 0.78 * semi_axis, 0.3)
    row = {"file": file, "frame": None, "flag": flag, "reasons": list(reasons), "semi_axis_a_px": semi_axis}
    row |= {"hc_px": ellipse.circumference, "overlay": f"overlays/{file}"}
    if pixel_size is None:
        return row | more
    known = Biometry.from_ellipse(ellipse.transform(np.diag([pixel_size, pixel_size, 1])[:2]), age)
    row |= {"hc_mm": known.hc_mm, "hc_low_mm": known.hc_mm - 2.5, "hc_high_mm": known.hc_mm + 2.5}
    row |= {"bpd_mm": known.bpd_mm, "ofd_mm": known.ofd_mm, "cephalic_index": known.cephalic_index_percent}
    row |= {"ga_intergrowth_weeks": known.ga_intergrowth_weeks or "out of range"}
    row |= {"ga_hadlock_weeks": known.ga_hadlock_weeks or "out of range", "gestational_age_weeks": age}
    row |= {"hc_z": known.hc_z, "hc_centile": known.hc_centile, "pixel_size_mm": pixel_size}
    return row | {"pixel_size_y_mm": pixel_size, "pixel_size_source": "csv"} | more


NO_HEAD = {
    "file": "abdomen.png",
    "flag": "no head",
    "reasons": ["no region looks like a head"],
    "overlay": "overlays/b",
}
ERROR = {"file": "empty.dcm", "frame": None, "flag": "error", "reasons": ["empty.dcm: it is empty; copy it again"]}
