"""What tests share: small phantom sets, runs trained on them, and a way to call the real commands."""

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from hypothesis import settings

from fetal_seg.geometry.ellipse import Ellipse
from tests.forking import fork_command

if os.environ.get("PYTEST_XDIST_WORKER"):  # two processes that test share the cores; their commands too
    os.environ.setdefault("OMP_NUM_THREADS", "1")

if sys.platform == "win32":  # which lacks these signals, groups of processes and limits of files
    collect_ignore = [f"cli/test_{name}.py" for name in ("signals", "dead_trials", "sweep", "orphans")]
    collect_ignore += ["training/test_interruption.py", "commands/test_train.py", "benchmarks/test_kills.py"]
    collect_ignore += ["commands/predict/test_results_folder.py"]

settings.register_profile("any machine", deadline=None)  # other work may slow it
settings.load_profile("any machine")

ROOT = Path(__file__).resolve().parent.parent

QUICK = (
    "data=phantom",
    "data.images=24",
    "data.test_images=3",
    "data.height=64",
    "data.width=96",
    "model.depth=3",
    "model.width=8",
    "optim.lr=0.02",  # finds heads within ten steps
    "trainer=cpu",
    "trainer.threads=1",  # else it looks at the machine for a third of a second
    "trainer.max_epochs=2",
)


DRAWN = Ellipse(390, 260, 170, 130, 0.2)  # px, in a picture of 540 x 800


def drawn_head(head):
    """A bright ring with texture in a dark field (540, 800): what the pretrained weights take for a head."""
    speckle = np.random.default_rng(0).rayleigh(1.0, (540, 800))
    inner = Ellipse(head.center_x, head.center_y, head.semi_axis_a - 12, head.semi_axis_b - 12, head.angle_rad)
    whole, inside = head.coverage(540, 800), inner.coverage(540, 800)
    image = 30 * speckle + (170 * (whole - inside) + 15 * inside) * (0.7 + 0.3 * speckle)
    return np.clip(image, 0, 255).astype(np.uint8)


PROGRAM = "fetal-seg"
SCRIPTS = [f"{name}.py" for name in ("train", "evaluate", "predict", "search", "report", "export")]


OF_PYTHON = ("PYTHONPATH", "OMP_NUM_THREADS")  # what is read as a process starts, or as it imports


def run_command(script, *arguments, cwd, timeout=120, env=None):
    """Call an entry point as its user does: a script, or the file of the program; returns the finished process."""
    arguments = [str(argument) for argument in arguments]
    environment = {**os.environ, **(env or {})}
    is_ours = str(script) in SCRIPTS or Path(script).name == PROGRAM
    if is_ours and not any(name in (env or {}) for name in OF_PYTHON):
        return fork_command(ROOT / script, arguments, cwd, timeout, environment)
    return subprocess.run(
        [sys.executable, str(ROOT / script), *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        env=environment,
    )


@pytest.fixture(scope="session", autouse=True)
def user_cache(tmp_path_factory):
    """The user's cache folder of all tests. Nothing can be proven in it: by default tests measure by PyTorch."""
    folder = tmp_path_factory.mktemp("user")
    (folder / "fetal_seg").mkdir()
    (folder / "fetal_seg" / "exports").touch()  # where a folder would be
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        yield folder


@pytest.fixture(scope="session")
def made_once(tmp_path_factory):
    """Gives a folder by its name, which one of the processes that test fills and all may read."""
    base = tmp_path_factory.getbasetemp()
    root = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def get(name, fill):
        folder, mark = root / name, root / f"{name}.filled"
        with FileLock(root / f"{name}.lock"):
            if not mark.exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                fill(folder)
                mark.touch()
        return folder

    return get


@pytest.fixture(scope="session")
def first_prediction(made_once):
    """A prediction that proved OpenVINO before it began: what it printed, its results, and its cache folder."""
    for package in ("onnx", "onnxscript", "openvino"):
        pytest.importorskip(package, reason="the proof needs it: pip install 'fetal_seg[openvino]'")
    from fetal_seg.images.grey import write_image

    def predict(folder):
        write_image(folder / "head.png", drawn_head(DRAWN))
        keys = [f"input={folder}/head.png", "pixel_size_mm=0.1", "device=cpu", f"output={folder}/out"]
        done = run_command("predict.py", *keys, cwd=folder, timeout=400, env={"XDG_CACHE_HOME": str(folder / "cache")})
        assert done.returncode == 0, done.stderr
        (folder / "printed.txt").write_text(done.stdout, encoding="utf-8")

    folder = made_once("proven", predict)
    return (folder / "printed.txt").read_text(encoding="utf-8"), folder / "out", folder / "cache"


@pytest.fixture(scope="session")
def program(tmp_path_factory):
    """The file of the program fetal-seg, as pip writes it."""
    file = tmp_path_factory.mktemp("bin") / PROGRAM
    file.write_text(f"#!{sys.executable}\nimport sys\nfrom fetal_seg.cli.main import main\nsys.exit(main())\n")
    file.chmod(0o755)
    return file


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def trained(tmp_path_factory, cache_dir):
    """The folder of a run on phantoms: two epochs of a small network."""
    run = tmp_path_factory.mktemp("runs") / "run"
    done = run_command("train.py", *QUICK, f"data.cache_dir={cache_dir}", f"hydra.run.dir={run}", cwd=run.parent)
    assert done.returncode == 0, done.stderr
    return run


@pytest.fixture(scope="session")
def hc18_root():
    """The real data set's folder."""
    root = os.environ.get("HC18_ROOT")
    if not root:
        pytest.skip("HC18_ROOT is not set: no real data here")
    return Path(root)


@pytest.fixture(scope="session")
def phantoms(tmp_path_factory):
    """A folder with 12 training and 4 test phantoms in HC18's archives."""
    from fetal_seg.data.phantom.writing import write_phantoms

    folder = tmp_path_factory.mktemp("phantoms")
    write_phantoms(folder, train=12, test=4, seed=5)
    return folder


@pytest.fixture(scope="session")
def good(made_once, cache_dir):
    """A checkpoint that finds heads in phantoms well enough to be measured; it is not to be changed."""
    keys = ["data.images=60", "trainer.max_epochs=12", "evaluate=false", "trainer.log_images=0"]

    def train(folder):
        places = [f"data.cache_dir={cache_dir}", f"hydra.run.dir={folder}/run"]
        done = run_command("train.py", *QUICK, *keys, *places, cwd=folder, timeout=300)
        assert done.returncode == 0, done.stderr

    return made_once("good", train) / "run" / "checkpoints" / "best.ckpt"


@pytest.fixture(scope="session")
def whole(tmp_path_factory, cache_dir):
    """An undisturbed run, which disturbed ones are compared with."""
    from tests.trainings import start  # it needs what stands above

    run = tmp_path_factory.mktemp("whole") / "run"
    process = start(run, cache_dir)
    assert process.wait(180) == 0, process.stderr.read()
    return run


def table(file):
    """The rows of a CSV file, as text."""
    with file.open(newline="") as stream:
        return list(csv.DictReader(stream))


def frames_before_error(path, every=1):
    """The frames of a file, and what the error that ended them says; None where none did."""
    from fetal_seg.errors import InputError
    from fetal_seg.images.reader import read_frames

    frames, error = [], None
    try:
        for frame in read_frames(path, path.name, every):
            frames.append(frame)
    except InputError as caught:
        error = str(caught)
    return frames, error
