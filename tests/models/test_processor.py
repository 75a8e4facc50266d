import os
from pathlib import Path

import pytest

from fetal_seg.models import processor as module
from fetal_seg.models.processor import processor, usable_cores

INTEL = (
    "vendor_id\t: GenuineIntel\nmodel\t\t: 143\nmodel name\t: Xeon\ncpu MHz\t\t: {mhz}\nflags\t\t: fpu avx2 {more}\n"
)


@pytest.fixture
def read(tmp_path, monkeypatch):
    """The processor of a ``/proc/cpuinfo`` with a text."""

    def read(text):
        (tmp_path / "cpuinfo").write_text(text)
        monkeypatch.setattr(module, "Path", lambda _: tmp_path / "cpuinfo")
        return processor.__wrapped__()

    return read


def test_instruction_sets_make_a_kind_and_the_clock_does_not(read):
    one, faster, wider = (read(INTEL.format(mhz=mhz, more=more)) for mhz, more in ((1, ""), (2, ""), (1, "amx_bf16")))
    assert one.name == "Xeon"
    assert one.instructions == {"fpu", "avx2"}
    assert one.kind == faster.kind != wider.kind


def test_several_cores_of_one_kind_are_that_kind(read):
    one = INTEL.format(mhz=1, more="")
    assert read(one).kind == read(one + "\n" + one).kind


def test_arm_is_known_by_its_parts(read):
    lines = "CPU implementer\t: 0x41\nCPU part\t: {part}\nFeatures\t: asimd bf16\n"
    one, other = read(lines.format(part="0xd0c")), read(lines.format(part="0xd40"))
    assert one.instructions == {"asimd", "bf16"}
    assert one.kind != other.kind


def test_a_system_without_that_file_has_a_kind_too(monkeypatch):
    monkeypatch.setattr(module, "Path", lambda _: Path("/nowhere"))
    found = processor.__wrapped__()
    assert found.kind
    assert found.instructions == frozenset()


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system binds no process to cores")
def test_cores_that_the_process_may_not_use_do_not_count():
    own = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(own)})
        assert usable_cores() == 1
    finally:
        os.sched_setaffinity(0, own)
    assert usable_cores() == len(own)
