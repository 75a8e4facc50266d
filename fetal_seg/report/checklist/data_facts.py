"""What the records tell of a run's data: where from, which, how cut into parts, how prepared."""

from collections.abc import Sequence
from typing import Any

from fetal_seg.errors import enumerate_names
from fetal_seg.evaluation.metrics import METRICS
from fetal_seg.report.checklist.points import Fact, Missing, Told, no_checkpoint, not_evaluated
from fetal_seg.report.checklist.records import CONFIG, PER_IMAGE, RECORD, SPLIT, SUMMARY, Records
from fetal_seg.report.checklist.wording import METRIC_OF, count, keys_text, value_text

FURTHER = ("extra", "negatives", "balance")  # keys of what trains besides


def source(records: Records) -> Fact:
    """The data set, its size and its fingerprint."""
    data, fingerprint = records.chosen("data"), records.run.record.get("data_fingerprint")
    if not (data and fingerprint):
        return Missing(RECORD, records.to_finish())
    further = {key: data[key] for key in FURTHER[:2] if data.get(key)}
    place = f", from {value_text(data['root'])}" if data.get("root") else ""
    text = f"data={data.get('name')}{place}; fingerprint of all its records {fingerprint}"
    return Told(text + (f"; besides it trained on {keys_text(further)}" if further else ""), f"{CONFIG}, {RECORD}")


def subset(records: Records) -> Fact:
    """Which of the data set's images were taken."""
    if not records.split:
        return Missing(SPLIT, records.to_finish())
    data = records.chosen("data")
    images = len(records.split["train"]) + len(records.split["val"])
    keys = {key: data.get(key) for key in ("limit", "unlabelled", "images", "split_file") if key in data}
    return Told(
        f"{count(images, 'image')} of data={data.get('name')}, taken by {keys_text(keys)}", f"{SPLIT}, {CONFIG}"
    )


def partitions(records: Records) -> Fact:
    """How the images were cut into parts."""
    split = records.split
    if not split:
        return Missing(SPLIT, records.to_finish())
    fold = f", fold {split['fold']} of {split['folds']} counted from 0" if split.get("folds") else ""
    parts = [
        f"{count(len(split[part]), 'image')} of {count(len(split['examinations'][part]), 'examination')} {purpose}"
        for part, purpose in (("train", "to train"), ("val", "to validate"))
    ]
    return Told(f"split of kind {split.get('kind')}, seed {split.get('seed')}{fold}: {'; '.join(parts)}", SPLIT)


def leak_audit(records: Records) -> Fact:
    """What stands on both sides of the split, counted anew from its file."""
    split = records.split
    if not split:
        return Missing(SPLIT, records.to_finish())
    images = _shared(split["train"], split["val"])
    examinations = _shared(split["examinations"]["train"], split["examinations"]["val"])
    names = [*split["examinations"]["train"], *split["examinations"]["val"]]
    text = (
        f"on both sides of the split stand {len(images)} of {count(len({*split['train'], *split['val']}), 'image')} "
        f"and {len(examinations)} of {count(len(set(names)), 'examination')}"
    )
    return Told(text + (f": {enumerate_names(examinations)}" if examinations else ""), SPLIT)


def validation_cases(records: Records) -> Fact:
    """Who is in the validation part, as far as the circumference tells."""
    if not records.summary:
        return not_evaluated(records, SUMMARY)
    summary, hc = records.summary, records.summary["hc_true_mm"]
    of_trimesters = ", ".join(str(part["n"]) for part in summary["by_trimester"].values())
    size = "not known in mm" if hc["mean"] is None else f"{hc['mean']:.1f} mm in the mean (SD {hc['sd']:.1f})"
    text = f"{count(summary['n'], 'validation image')} with a head; true circumference {size}"
    return Told(f"{text}; {of_trimesters} of trimesters 1, 2, 3 by it", SUMMARY)


def missing_data(records: Records) -> Fact:
    """Images without a pixel size or without a head, and what became of them."""
    if not records.summary:
        return not_evaluated(records, SUMMARY)
    unscaled = sum(row.get("hc_true_mm") is None for row in records.run.images)
    others = (records.summary.get("without_head") or {}).get("images", 0)
    text = f"of {count(len(records.run.images), 'validation image')} with a head {unscaled} have no pixel size"
    return Told(f"{text}; {count(others, 'other image')} without a head", f"{PER_IMAGE}, {SUMMARY}")


def preprocessing(records: Records) -> Fact:
    """What is done to an image before the network sees it."""
    weights = records.weights
    if weights is None:
        return no_checkpoint(records)
    text = f"images are put into {weights.height} x {weights.width} px with the ratio of their sides kept"
    return Told(f"{text}; grey values, 0 to 1, less {weights.mean:g}, by {weights.std:g}", weights.file)


def augmentation(records: Records) -> Fact:
    """How training images are changed."""
    keys = records.chosen("augmentation")
    if not keys:
        return Missing(CONFIG, records.to_finish())
    if not keys.get("enabled"):
        return Told(f"no augmentation (augmentation.enabled={value_text(keys.get('enabled'))})", CONFIG)
    neutral: dict[str, Any] = {"scale": 1.0, "zoom_out": 1.0, "aspect": 1.0, "gamma": 1.0, "enabled": True}
    active = {key: value for key, value in keys.items() if value != neutral.get(key, 0.0)}
    return Told(f"sampled anew for each image and epoch: {keys_text(active)}", CONFIG)


def measures(records: Records) -> Fact:
    """What was computed of each image."""
    if not records.run.images:
        return not_evaluated(records, PER_IMAGE)
    known = [metric for metric in METRICS if any(row.get(metric.column) is not None for row in records.run.images)]
    names = ", ".join(METRIC_OF[metric.column].heading.replace(", ", " in ") for metric in known)
    return Told(f"of each of {count(len(records.run.images), 'image')}: {names}", PER_IMAGE)


def _shared(train: Sequence[str], val: Sequence[str]) -> list[str]:
    return sorted(set(train) & set(val))
