"""What pyproject.toml cannot say: in a wheel conf/ and the export of the pretrained weights lie in the package."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

EXPORTED = Path("dist", "exported", "lite.onnx")  # which `make wheel` makes


class BuildWithOthers(build_py):
    """Copies conf/ and the export as well."""

    def run(self) -> None:
        """As setuptools does, and then the others; an editable installation has conf/ where it is, and no export."""
        super().run()
        if self.editable_mode:
            return
        package = Path(self.build_lib, "fetal_seg")
        shutil.copytree("conf", package / "conf", dirs_exist_ok=True)
        if EXPORTED.is_file():
            shutil.copy(EXPORTED, package / "models" / "pretrained")


setup(cmdclass={"build_py": BuildWithOthers})
