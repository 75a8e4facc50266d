"""The arguments of ``fetal-seg measure``; what it measures is in tests/commands/test_measure.py."""

import subprocess
import sys

import pytest

from fetal_seg.cli.measure import measure, parser


def test_files_and_a_pixel_size():
    options = parser().parse_args(["a.png", "b", "--pixel-size", "0.12"])
    assert (options.files, options.pixel_size, options.csv) == (["a.png", "b"], 0.12, False)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "the following arguments are required: FILE"),
        (["a.png", "--pixel-size", "0,12"], "0,12 is no size; give a positive number of millimetres, such as 0.12"),
        (["a.png", "--pixel-size", "-1"], "-1 is no size"),
        (["a.png", "--pixel-size", "inf"], "inf is no size"),
        (["a.png", "--pixelsize", "0.1"], "unrecognized arguments: --pixelsize"),
    ],
)
def test_what_is_wrong_is_told(arguments, told, capsys):
    with pytest.raises(SystemExit) as ended:
        measure(arguments)
    assert ended.value.code == 2
    assert (
        f"fetal-seg measure: error: {'' if told.startswith(('the', 'unrec')) else 'argument --pixel-size: '}{told}"
        in (capsys.readouterr().err)
    )


def test_help_imports_nothing_heavy():
    code = (
        "import sys\nfrom fetal_seg.cli.main import main\nsys.argv = ['fetal-seg', 'measure', '--help']\n"
        "try: main()\nexcept SystemExit as stop: assert not stop.code\n"
        "heavy = {'hydra', 'numpy', 'pydantic', 'rich', 'torch'} & set(sys.modules)\nassert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "--pixel-size MM" in done.stdout
