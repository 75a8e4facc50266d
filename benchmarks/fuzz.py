"""Damaged files of every kind: ``python -m benchmarks.fuzz [COUNT] [SEED] [--only jpeg_ls.dcm]``.

Image, DICOM and video files are decoded as ``predict.py`` does, in processes of their own. Each has to give frames, or
one error of one sentence, within the time and the memory that such a process has. A process that crashes is counted
as well: its file costs a row and no more. Checkpoints, weights, tables and files of run folders are read likewise: each
has to be read, or refused in one sentence.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.machine import machine_line
from benchmarks.samples import Read, image_samples, record_samples
from fetal_seg.errors import InputError
from fetal_seg.images.decoders import Decoders
from fetal_seg.images.decoding import MOST_MEMORY, Request
from fetal_seg.progress import track

ROOT = Path(__file__).resolve().parent.parent
SHARE = 200  # one damaged file of each other kind for so many images: many are read with all of a folder
LONGEST_S = 20.0
LONGEST_SENTENCE = 1000


@dataclass
class Outcomes:
    """What became of the damaged files of one kind.

    Attributes:
        counts: of files by outcome: ``read``, ``error`` (one sentence), ``crash`` (of the decoder; the file's error
            says so), and what must not be: ``hang``, ``memory`` and ``fault`` (anything else).
        slowest: s, of a file.
        faults: the first few things that must not be, in words.
    """

    counts: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    faults: list[str] = field(default_factory=list)

    def add(self, outcome: str, seconds: float, told: str = "") -> None:
        """Count a file."""
        outcome = "hang" if seconds > LONGEST_S else outcome
        self.counts[outcome] += 1
        self.slowest = max(self.slowest, seconds)
        if outcome not in ("read", "error", "crash") and len(self.faults) < 3:
            self.faults.append(f"{outcome}: {told}")


def main() -> None:
    """Print a table, a row a kind; exit with 1 if a file was neither read nor refused in one sentence."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", type=int, nargs="?", default=2000)
    parser.add_argument("seed", type=int, nargs="?", default=0)
    parser.add_argument("--only", choices=list(image_samples()), help="of those that COUNT would make, this kind alone")
    options = parser.parse_args()
    console = Console(soft_wrap=True, highlight=False)
    console.print(machine_line())
    with tempfile.TemporaryDirectory() as name:
        outcomes = fuzz_images(Path(name), options.count, options.seed, options.only)
        if options.only is None:
            run = _trained(Path(name))
            outcomes |= fuzz_records(run, Path(name), max(options.count // SHARE, 1), options.seed)
    console.print(_table(outcomes))
    faults = [f"{kind}: {fault}" for kind, found in outcomes.items() for fault in found.faults]
    console.print("\n".join(faults) or f"{sum(found.counts.total() for found in outcomes.values())} files: no fault")
    sys.exit(bool(faults))


def damaged(content: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    """A file that is flipped, cut, repeated, given another's header, or promises too much in its own."""
    made = bytearray(content)
    at, length = int(rng.integers(len(made))), int(rng.integers(1, 65))
    match rng.integers(6):
        case 0:
            for place in rng.integers(len(made), size=int(rng.integers(1, 20))):
                made[place] ^= 1 << int(rng.integers(8))
        case 1:
            del made[at:]
        case 2:
            made[at:at] = made[at : at + length] * int(rng.integers(1, 30))
        case 3:
            made[:length] = other[:length]
        case 4:
            start = int(rng.integers(min(len(made), 400)))
            made[start : start + 4] = rng.choice([b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f"])
        case _:
            made[at : at + length] = rng.bytes(length)
    return bytes(made)


def fuzz_images(folder: Path, count: int, seed: int, only: str | None = None) -> dict[str, Outcomes]:
    """Decode `count` damaged image, DICOM and video files, or those of one kind; the outcomes by kind."""
    samples = image_samples()
    numbers = [number for number in range(count) if only in (None, _kind(samples, number))]
    outcomes: dict[str, Outcomes] = defaultdict(Outcomes)
    with Decoders() as decoders, ThreadPoolExecutor(len(decoders)) as pool:

        def decode(number: int) -> tuple[str, str, float, str]:
            name, content = _made(samples, number, seed)
            path = folder / f"{number}{Path(name).suffix}"
            path.write_bytes(content)
            start, outcome, told = time.perf_counter(), "read", ""
            try:
                for _ in decoders.frames(Request(path, path.name)):
                    pass
            except InputError as error:
                outcome, told = _refused(str(error)), str(error)
            except Exception as error:  # what is looked for
                outcome, told = "fault", f"{number}: {error!r}"
            path.unlink()
            return name, outcome, time.perf_counter() - start, told

        for name, outcome, seconds, told in track(pool.map(decode, numbers), "images", len(numbers)):
            outcomes[name].add(outcome, seconds, told)
        peak = decoders.peak_memory()
    if peak is not None and peak > MOST_MEMORY:
        outcomes["all decoders"].add("memory", 0.0, f"{peak / 2**30:.2f} GiB")
    return dict(outcomes)


def fuzz_records(run: Path, folder: Path, count: int, seed: int) -> dict[str, Outcomes]:
    """Read `count` damaged files of each kind that is no image; the outcomes by kind."""
    samples = record_samples(run)
    contents = {name: content for name, (content, _) in samples.items()}
    outcomes = {name: Outcomes() for name in samples}
    for name, (content, read) in track(samples.items(), "records", len(samples)):
        for number in range(count):
            rng = np.random.default_rng([seed, number, len(content)])
            other = contents[str(rng.choice(list(contents)))]
            start = time.perf_counter()
            outcome, told = _read_one(damaged(content, other, rng), name, read, folder)
            outcomes[name].add(outcome, time.perf_counter() - start, told)
    return outcomes


def _read_one(content: bytes, name: str, read: Read, folder: Path) -> tuple[str, str]:
    with tempfile.TemporaryDirectory(dir=folder) as here:
        path = Path(here) / Path(name).name
        path.write_bytes(content)
        try:
            read(path)
        except InputError as error:
            return _refused(str(error)), str(error)
        except Exception as error:  # what is looked for
            return "fault", repr(error)
        return "read", ""


def _made(samples: dict[str, bytes], number: int, seed: int) -> tuple[str, bytes]:
    rng = np.random.default_rng([seed, number])
    name, other = _kind(samples, number), str(rng.choice(list(samples)))
    return name, damaged(samples[name], samples[other], rng)


def _kind(samples: dict[str, bytes], number: int) -> str:
    return list(samples)[number % len(samples)]


def _refused(sentence: str) -> str:
    if "made its decoder crash" in sentence:
        return "crash"
    if "takes longer than" in sentence:
        return "hang"
    return "error" if sentence and len(sentence) < LONGEST_SENTENCE and "\n" not in sentence else "fault"


def _trained(folder: Path) -> Path:
    """A run on a few phantoms."""
    run = folder / "run"
    small = ["data.images=12", "data.test_images=2", "data.height=64", "data.width=96", "model.depth=3"]
    places = [f"data.root={folder / 'phantoms'}", f"data.cache_dir={folder / 'cache'}", f"hydra.run.dir={run}"]
    keys = ["data=phantom", *small, "trainer=cpu", "trainer.max_epochs=1", *places]
    subprocess.run([sys.executable, ROOT / "train.py", *keys], check=True, capture_output=True)
    return run


def _table(outcomes: dict[str, Outcomes]) -> Table:
    table = Table("file", "damaged", "read", "one sentence", "decoder crashed", "faults", "slowest s")
    for name, found in outcomes.items():
        counts = found.counts
        good = [counts[outcome] for outcome in ("read", "error", "crash")]
        table.add_row(name, *map(str, [counts.total(), *good, counts.total() - sum(good)]), f"{found.slowest:.2f}")
    return table


if __name__ == "__main__":
    main()
