import subprocess
import sys

from fetal_seg.cli.validation import GROUPS
from tests.conftest import ROOT

CONF = ROOT / "conf"


def test_no_registry_imports_anything_heavy():
    code = (
        "import sys\nfrom fetal_seg.config import registries\n"
        "known = [item for item in vars(registries).values() if isinstance(item, registries.Registry)]\n"
        "names = [registry.names() for registry in known]\n"
        "assert len(names) == 7 and all(names), names\n"
        "heavy = {'torch', 'lightning', 'cv2', 'scipy', 'numpy'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_what_is_registered_can_be_chosen_and_what_can_be_chosen_is_registered():
    for group, registry in GROUPS.items():
        chosen = {file.stem for file in (CONF / group).glob("*.yaml")} - {"from_run"}
        assert chosen == set(registry.names()), group
