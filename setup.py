"""What pyproject.toml cannot say: in a wheel the configuration files of conf/ lie in the package."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithConfigurations(build_py):
    """Copies conf/ as well."""

    def run(self) -> None:
        """As setuptools does, and then the configurations; an editable installation has them where they are."""
        super().run()
        if not self.editable_mode:
            shutil.copytree("conf", Path(self.build_lib, "fetal_seg", "conf"), dirs_exist_ok=True)


setup(cmdclass={"build_py": BuildWithConfigurations})
