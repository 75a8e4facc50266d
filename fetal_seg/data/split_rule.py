"""How the records of a data set are cut into training and validation, as a configuration asks for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fetal_seg.data.records import Record
from fetal_seg.data.split_files import check_split, read_split
from fetal_seg.data.splits import Split, split_examinations, split_inner, split_kfold, split_random
from fetal_seg.geometry.ellipse import Ellipse
from fetal_seg.measurement.biometry import trimester


@dataclass(frozen=True)
class SplitRule:
    """How records are cut into training and validation.

    Attributes:
        kind: ``examination``, ``inner``, ``random`` or ``kfold``, as in ``fetal_seg.data.splits``.
        seed: of the random order.
        val_fraction: part of the images that validates, in (0, 1).
        folds, fold: with ``kfold``, how many there are and which one validates, from 0.
        file: a split to take as it is, whatever the others say.
    """

    kind: str = "examination"
    seed: int = 0
    val_fraction: float = 0.2
    folds: int = 5
    fold: int = 0
    file: Path | None = None

    def apply(self, records: Sequence[Record], ellipses: Sequence[Ellipse]) -> Split:
        """The split of these records, by file or by rule.

        Raises:
            InputError: the file does not fit the records, or there are too few of them.
        """
        names = [record.name for record in records]
        examinations = [record.examination for record in records]
        if self.file is not None:
            split = read_split(self.file)
            check_split(split, names, examinations)
            return split
        strata = [
            trimester(ellipse.circumference * record.pixel_size_mm) if record.pixel_size_mm else 0
            for record, ellipse in zip(records, ellipses, strict=True)
        ]
        if self.kind == "random":
            return split_random(names, examinations, seed=self.seed, val_fraction=self.val_fraction)
        if self.kind == "kfold":
            return split_kfold(names, examinations, strata, seed=self.seed, folds=self.folds, fold=self.fold)
        cut = split_inner if self.kind == "inner" else split_examinations
        return cut(names, examinations, strata, seed=self.seed, val_fraction=self.val_fraction)
