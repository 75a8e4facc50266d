"""What tests of a study's report share."""

import pytest

from tests.run_folders import scores, write_run, write_sweep


@pytest.fixture
def sweep(tmp_path):
    """Two models at two depths; the U-Net is better. One job failed, one was not started."""
    jobs = [[f"model={model}", f"++model.depth={depth}"] for model in ("encoder_decoder", "unet") for depth in (3, 4)]
    jobs += [["model=unet", "++model.depth=9"], ["model=unet", "++model.depth=8"]]
    folder = write_sweep(tmp_path / "sweep", jobs)
    for number, mean in enumerate((0.94, 0.95, 0.96, 0.97)):
        write_run(folder / str(number), jobs[number], scores(mean, seed=number, spread=0.005))
    write_run(folder / "4", jobs[4], cause="ValueError: <script>alert(1)</script> & more")
    return folder
