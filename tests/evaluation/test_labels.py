from fetal_seg.evaluation.labels import factors, label
from fetal_seg.evaluation.runs import read_runs
from tests.run_folders import write_run


def test_factors_are_what_varies_whether_overridden_or_not(tmp_path):
    common = ["++data.root=/there", "hydra.launcher.n_jobs=2", "trainer.max_epochs=3"]
    write_run(tmp_path / "a", ["model=unet", *common, "++seed=1"])
    write_run(tmp_path / "b", ["++model.depth=4", "data.root=/elsewhere", "seed=2"])
    write_run(tmp_path / "c", ["++optim.lr_factor=1e-1", *common])
    write_run(tmp_path / "d", ["++optim.lr_factor=0.1", "seed=3"])
    runs = read_runs([tmp_path])
    assert factors(runs) == ["model", "model.depth", "optim.lr_factor"]
    assert [label(run, factors(runs)) for run in runs] == [
        "unet, depth 3, lr_factor 1",
        "encoder_decoder, depth 4, lr_factor 1",
        "encoder_decoder, depth 3, lr_factor 0.1",
        "encoder_decoder, depth 3, lr_factor 0.1",
    ]


def test_a_difference_that_only_a_file_of_the_configuration_makes_is_a_factor(tmp_path):
    write_run(tmp_path / "a", ["model=unet"])
    write_run(tmp_path / "b", ["model=encoder_decoder"])
    other = write_run(tmp_path / "c", ["model=unet", "experiment=long"]) / ".hydra" / "config.yaml"
    other.write_text(other.read_text().replace("max_epochs: 3", "max_epochs: 9"))
    runs = read_runs([tmp_path])
    assert factors(runs) == ["model", "trainer.max_epochs"]  # not experiment, which only names it


def test_one_run_is_labelled_by_its_name(tmp_path):
    (run,) = read_runs([write_run(tmp_path / "2026", ["model=unet"])])
    assert label(run, factors([run])) == "2026"


def test_runs_of_different_experiment_files_are_told_apart_by_their_choices(tmp_path):
    """The file itself is no factor; keys that follow from a choice are none either."""
    for name, model, optim, lr in (("a", "unet", "sgd", 0.1), ("b", "encoder_decoder", "rmsprop", 0.0005)):
        run = write_run(tmp_path / name, [f"model={model}", f"optim={optim}", f"optim.lr={lr}"])
        (run / ".hydra" / "overrides.yaml").write_text(f"- experiment={name}\n")
    runs = read_runs([tmp_path])
    assert factors(runs) == ["model", "optim"]
    assert [label(run, factors(runs)) for run in runs] == ["unet, sgd", "encoder_decoder, rmsprop"]
