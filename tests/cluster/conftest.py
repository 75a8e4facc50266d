"""A real SLURM for these tests: a cluster of one node with two slots on this machine, which `tools/slurm.sh` makes."""

import os
import shutil
import subprocess

import pytest

from tests.conftest import ROOT

SCRIPT = str(ROOT / "tools" / "slurm.sh")


@pytest.fixture(scope="session")
def slurm(tmp_path_factory):
    """Commands find it by SLURM_CONF, as long as the tests last."""
    if os.environ.get("FETAL_SEG_CLUSTER") != "1":
        pytest.skip("SLURM is tested by `make test-cluster`, which sets FETAL_SEG_CLUSTER=1")
    pytest.importorskip("submitit", reason="pip install 'fetal_seg[slurm]'")
    path = f"{os.environ['PATH']}:/usr/sbin"
    if missing := [name for name in ("munged", "slurmctld", "slurmd") if shutil.which(name, path=path) is None]:
        pytest.skip(f"missing: {', '.join(missing)}; apt-get install slurm-wlm munge")
    folder = tmp_path_factory.mktemp("slurm") / "cluster"
    started = subprocess.run([SCRIPT, "start", folder], capture_output=True, text=True, check=False)
    assert started.returncode == 0, started.stderr
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLURM_CONF", started.stdout.strip().partition("=")[2])
        yield folder
    subprocess.run([SCRIPT, "stop", folder], check=True)
