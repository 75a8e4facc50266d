"""A PostgreSQL server of its own, for searches that many share."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest


def _programs():
    """The folder of the server's programs: Debian has them where no shell looks."""
    found = [*Path("/usr/lib/postgresql").glob("*/bin/initdb"), shutil.which("initdb")]
    return next((Path(program).parent for program in found if program), None)


@pytest.fixture(scope="session")
def postgresql():
    """The address of an empty database on a server that listens on a socket alone."""
    pytest.importorskip("psycopg", reason="the driver is missing: pip install 'fetal_seg[postgresql]'")
    programs = _programs()
    if programs is None:
        pytest.skip("no PostgreSQL here: apt-get install postgresql")
    user = {"user": "postgres", "group": "postgres"} if os.getuid() == 0 else {}  # the server refuses to be root
    with tempfile.TemporaryDirectory(prefix="pg") as name:  # a socket's path is short
        folder = Path(name)
        if user:
            shutil.chown(folder, **user)

        def run(program, *arguments):
            subprocess.run(
                [programs / program, *arguments],
                check=True,
                stdout=subprocess.DEVNULL,
                cwd=folder,
                **user,
                extra_groups=[] if user else None,
            )

        run("initdb", "-D", folder / "data", "-A", "trust", "-U", "searcher", "--no-sync")
        options = f"-c listen_addresses='' -k {folder} -c fsync=off"
        run("pg_ctl", "-D", folder / "data", "-w", "-l", folder / "log", "-o", options, "start")
        try:
            yield f"postgresql://searcher@/postgres?host={folder}"
        finally:
            run("pg_ctl", "-D", folder / "data", "-w", "-m", "immediate", "stop")
