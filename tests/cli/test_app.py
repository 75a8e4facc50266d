"""What a command does before its configuration is checked, and where it is wrong."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, run_command


class TestCommandLine:
    @pytest.mark.parametrize("script", ["train.py", "evaluate.py", "predict.py"])
    def test_bad_keys_exit_with_2_in_one_message_and_leave_nothing(self, script, tmp_path):
        done = run_command(script, "sed=1", "++nothing.at=all", cwd=tmp_path)
        assert done.returncode == 2
        assert "sed is no key" in done.stderr
        assert "nothing is no key" in done.stderr
        assert "Traceback" not in done.stderr
        assert list(tmp_path.iterdir()) == []

    def test_a_sweep_is_checked_before_it_starts(self, tmp_path):
        done = run_command("train.py", "-m", "model.dpth=3,4", "optim=adam,sgd", "optim.lr=-1", cwd=tmp_path)
        assert done.returncode == 2
        assert "did you mean model.depth?" in done.stderr
        assert "optim.lr=-1" in done.stderr
        assert list(tmp_path.iterdir()) == []

    def test_nothing_heavy_is_imported_before_the_configuration_is_checked(self, tmp_path):
        code = (
            "import sys, runpy\n"
            f"sys.path.insert(0, {str(ROOT)!r}); sys.argv = ['train.py', 'optim.lr=-1']\n"
            f"try: runpy.run_path({str(ROOT / 'train.py')!r}, run_name='__main__')\n"
            "except SystemExit as stop: assert stop.code == 2\n"
            "heavy = {'torch', 'lightning', 'cv2', 'scipy', 'numpy'} & set(sys.modules)\n"
            "assert not heavy, heavy\n"
        )
        done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    @pytest.mark.parametrize("script", ["train.py", "evaluate.py", "predict.py", "report.py", "search.py"])
    def test_help_waits_for_no_schemas(self, script, tmp_path):
        code = (
            "import sys, runpy\n"
            f"sys.path.insert(0, {str(ROOT)!r}); sys.argv = [{script!r}, '--help']\n"
            f"try: runpy.run_path({str(ROOT / script)!r}, run_name='__main__')\n"
            "except SystemExit as stop: assert not stop.code\n"
            "assert not {'pydantic', 'fetal_seg.config.commands', 'numpy'} & set(sys.modules)\n"
        )
        done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert f"python {script}" in done.stdout

    @pytest.mark.parametrize("script", ["train.py", "evaluate.py", "predict.py"])
    def test_help_names_groups_and_keys(self, script, tmp_path):
        done = run_command(script, "--help", cwd=tmp_path)
        assert done.returncode == 0
        assert f"python {script}" in done.stdout
        assert "null" in done.stdout
        assert list(Path(tmp_path).iterdir()) == []
