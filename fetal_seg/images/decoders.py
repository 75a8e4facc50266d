"""Processes that decode foreign files: one that makes its decoder crash, hang or swell costs no more than itself.

A decoder in C may end the whole process on a damaged file: GDCM did on 4 of 20,000 damaged DICOM files.
"""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from multiprocessing.connection import Pipe
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import IO

from fetal_seg.errors import InputError
from fetal_seg.images import decoding
from fetal_seg.images.decoding import Request
from fetal_seg.images.reader import Frame

FEWEST = 2  # processes: one may be at a long video while files are read ahead by another
PATIENCE = 20.0  # s, for one frame
ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "OPENCV_FFMPEG_LOGLEVEL": "16"}  # AV_LOG_ERROR: it has a log to go to


class Decoders:
    """Several processes, each at one file at a time; threads may share them. A context: at its end they are gone.

    Args:
        log: a file to which what decoders print is added; None for nowhere.
        count: of processes; at least `FEWEST` are started.
    """

    def __init__(self, log: Path | None = None, count: int | None = None) -> None:
        count = max(count or os.cpu_count() or 1, FEWEST)
        self._all = [_Decoder(log) for _ in range(count)]
        self._free: SimpleQueue[_Decoder] = SimpleQueue()
        for decoder in self._all:
            self._free.put(decoder)

    def __enter__(self) -> "Decoders":
        """Themselves."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End all processes."""
        for decoder in self._all:
            decoder.end()

    def __len__(self) -> int:
        """How many processes there are."""
        return len(self._all)

    def peak_memory(self) -> int | None:
        """The most memory, bytes, that a process now running ever had; None where that is unknown."""
        peaks = [decoder.peak_memory() for decoder in self._all]
        known = [peak for peak in peaks if peak is not None]
        return max(known) if known else None

    def frames(self, request: Request) -> Iterator[Frame]:
        """The frames that are asked for, as `read_frames` gives them.

        Raises:
            InputError: as `read_frames`; or the file ended its decoder, or took too long or too much memory.
        """
        decoder = self._free.get()
        try:
            yield from decoder.frames(request)
        finally:
            self._free.put(decoder)


class _Decoder:
    """One process, which is replaced when a file has ended it."""

    def __init__(self, log: Path | None) -> None:
        self._log = log
        self._start()

    def _start(self) -> None:
        self._connection, theirs = Pipe()
        with _opened(self._log) as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", decoding.__name__, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,  # Ctrl-C is for the parent, with which it ends
                env=os.environ | ENVIRONMENT | {"PYTHONPATH": os.pathsep.join(sys.path)},
            )
        theirs.close()

    def frames(self, request: Request) -> Iterator[Frame]:
        at_rest = False
        try:
            self._ask(request)
            while (answer := self._answer(request.path)) is not None:
                at_rest = isinstance(answer, InputError)
                if isinstance(answer, InputError):
                    raise answer
                yield answer
            at_rest = True
        finally:
            if not at_rest:  # it has frames to give that nobody wants
                self._replace()

    def _ask(self, request: Request) -> None:
        try:
            self._connection.send(request)
        except ConnectionError:  # it died while nobody looked: of too little memory for all, say
            self._replace()
            self._connection.send(request)

    def _answer(self, path: Path) -> Frame | InputError | None:
        try:
            if not self._connection.poll(PATIENCE):
                return self._died(path, f"decoding it takes longer than {PATIENCE:g} s")
            answer: Frame | InputError | None = self._connection.recv()
            return answer
        except (EOFError, ConnectionError):
            status = self._process.wait()
            name = signal.Signals(-status).name if status < 0 else f"status {status}"
            return self._died(path, f"it made its decoder crash ({name})")

    def _died(self, path: Path, why: str) -> InputError:
        self._replace()
        return InputError(f"{path}: the file cannot be decoded: {why}; it is damaged, export or copy it again")

    def peak_memory(self) -> int | None:
        try:
            status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        except OSError:
            return None
        return next((1024 * int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")), None)

    def _replace(self) -> None:
        self.end()
        self._start()

    def end(self) -> None:
        self._connection.close()
        self._process.kill()
        self._process.wait()


def _opened(log: Path | None) -> IO[bytes]:
    """A log to add to; where there is none, or it cannot be written, nowhere."""
    if log is not None:
        with contextlib.suppress(OSError):
            log.parent.mkdir(parents=True, exist_ok=True)
            return log.open("ab")
    return Path(os.devnull).open("ab")
