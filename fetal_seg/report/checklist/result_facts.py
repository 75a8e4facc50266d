"""What the records tell of a run's results: measures with intervals, subgroups, worst cases, calibration."""

import math
from collections import Counter, defaultdict

from fetal_seg.evaluation.metrics import ADF, ELLIPSE_DICE, METRICS
from fetal_seg.evaluation.tables import Row, finite_value, is_missed
from fetal_seg.report.checklist.points import Fact, Missing, Told, no_checkpoint, not_evaluated
from fetal_seg.report.checklist.records import EXTERNAL, PER_IMAGE, SUMMARY, Content, Records
from fetal_seg.report.checklist.wording import METRIC_OF, count, mean_text, per_cent

SHOWN = tuple(metric for metric in METRICS if metric.column not in ("hc_true_mm", "hc_pred_mm", "iou", "hd95_mm"))
WORST = 5
DF = METRIC_OF["df_mm"]


def performance(records: Records) -> Fact:
    """Means with their intervals."""
    if not records.summary:
        return not_evaluated(records, SUMMARY)
    return Told(_means(records.summary), SUMMARY)


def uncertainty(records: Records) -> Fact:
    """How the intervals were made."""
    if not records.run.images:
        return not_evaluated(records, PER_IMAGE)
    examinations = len({row["examination"] for row in records.run.images})
    text = f"95 % intervals by bootstrap over {count(examinations, 'examination')}"
    return Told(f"{text}, of {count(len(records.run.images), 'image')}", PER_IMAGE)


def subgroups(records: Records) -> Fact:
    """The measures of each trimester."""
    if not records.summary:
        return not_evaluated(records, SUMMARY)
    told = []
    for number, part in records.summary["by_trimester"].items():
        means = "; ".join(mean_text(part, metric) for metric in (ELLIPSE_DICE, ADF, DF)) if part["n"] else "no measure"
        told.append(f"trimester {number}: {count(part['n'], 'image')}, {part['missed']} missed, {means}")
    limits = " and ".join(f"{limit:g}" for limit in records.summary["trimester_limits_mm"])
    return Told(f"{'. '.join(told)}. Trimesters 2 and 3 begin at a true circumference of {limits} mm", SUMMARY)


def worst_cases(records: Records) -> Fact:
    """The images with the largest errors: heads that were missed, then by the error of the circumference."""
    if not records.run.images:
        return not_evaluated(records, PER_IMAGE)
    rows = sorted(records.run.images, key=_badness, reverse=True)[:WORST]
    missed = sum(map(is_missed, records.run.images))
    shown = "; ".join(_case(row) for row in rows)
    return Told(f"{missed} of {count(len(records.run.images), 'head')} missed; the worst: {shown}", PER_IMAGE)


def agreement(records: Records) -> Fact:
    """Bias and 95 % limits of agreement of the circumference."""
    if not records.summary:
        return not_evaluated(records, SUMMARY)
    df = records.summary["df_mm"]
    if df["mean"] is None or df["sd"] is None:
        return Told(f"of {count(records.summary['n'], 'image')} none has a measured circumference in mm", SUMMARY)
    low, high = df["mean"] - 1.96 * df["sd"], df["mean"] + 1.96 * df["sd"]
    text = (
        f"predicted less true circumference {df['mean']:+.2f} mm, 95 % limits of agreement {low:+.2f} to {high:+.2f} mm"
    )
    return Told(text.replace("-", "−"), SUMMARY)


def coverage(records: Records) -> Fact:
    """How often the 90 % intervals hold the truth."""
    if not records.summary:
        return not_evaluated(records, SUMMARY)
    interval, images = records.summary.get("interval"), count(records.summary["n"], "image")
    if interval is None:
        return Told(f"none of {images} has an interval of its circumference", SUMMARY)
    low, high = interval["ci95"]
    ends = "" if low is None or high is None else f" ({100 * low:.1f} to {100 * high:.1f})"
    text = f"90 % intervals hold {per_cent(interval['coverage'])}{ends} of the true circumferences"
    return Told(
        f"{text} of {count(interval['images'], 'image')}; mean width {interval['mean_width_mm']:.1f} mm", SUMMARY
    )


def calibration(records: Records) -> Fact:
    """What the checkpoint learnt of its own errors."""
    weights = records.weights
    if weights is None:
        return no_checkpoint(records)
    gate = (
        f"head gate of {weights.gate[0]} heads and {weights.gate[1]} other planes" if weights.gate else "no head gate"
    )
    if weights.calibrated is not None:
        return Told(f"intervals of the errors of {count(weights.calibrated, 'held-out image')}; {gate}", weights.file)
    if not records.summary:
        return Missing(f"the calibration in {weights.file}", records.to_evaluate("evaluation", "calibrate=true"))
    found = records.summary["n"] - records.summary["missed"]
    return Told(f"no intervals, of {count(found, 'head')} that were found; {gate}", f"{weights.file}, {SUMMARY}")


def flags(records: Records) -> Fact:
    """How many results are to be looked at, and how large the errors of the others are."""
    if not records.run.images:
        return not_evaluated(records, PER_IMAGE)
    counts: Counter[str] = Counter()
    errors: dict[str, list[float]] = defaultdict(list)
    for row in records.run.images:
        counts[flag := str(row.get("flag") or "not flagged")] += 1
        if (error := finite_value(row, ADF.column)) is not None:
            errors[flag].append(error)
    told = [
        f"{flag} {number}" + (f" (ADF {sum(errors[flag]) / len(errors[flag]):.2f} mm)" if errors[flag] else "")
        for flag, number in counts.most_common()
    ]
    return Told(f"flags of {count(len(records.run.images), 'image')}: {', '.join(told)}", PER_IMAGE)


def runtime(records: Records) -> Fact:
    """Which networks measured together, and by what."""
    used = records.summary.get("runtime")
    if not used:
        return not_evaluated(records, SUMMARY)
    return Told(f"{count(len(used), 'network')}, run by {', '.join(str(one['name']) for one in used)}", SUMMARY)


def external(records: Records) -> Fact:
    """The same measures on images of another source, where they were evaluated."""
    if not records.external:
        return Missing(EXTERNAL, records.to_evaluate("external", "data=folder", "data.root=FOLDER"))
    return Told(_means(records.external), EXTERNAL)


def _means(summary: Content) -> str:
    means = "; ".join(mean_text(summary, metric) for metric in SHOWN)
    return f"{count(summary['n'], 'image')}, {summary['missed']} missed (mean, 95 % interval): {means}"


def _badness(row: Row) -> tuple[bool, float, float]:
    adf = row.get(ADF.column)
    finite = adf if adf is not None and math.isfinite(adf) else 0.0
    return is_missed(row), finite, -float(row.get(ELLIPSE_DICE.column) or 0)


def _case(row: Row) -> str:
    adf, dice = finite_value(row, ADF.column), 100 * (row.get(ELLIPSE_DICE.column) or 0)
    error = (
        "missed"
        if is_missed(row)
        else f"ellipse Dice {dice:.1f} %" + (f", ADF {adf:.2f} mm" if adf is not None else "")
    )
    why = f", {row['flag']}" + (f": {row['reasons']}" if row.get("reasons") else "") if row.get("flag") else ""
    return f"{row['file']} ({error}{why})"
