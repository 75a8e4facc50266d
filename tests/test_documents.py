"""What the README and the pages of docs/ say is so: files, commands, keys, links, figures of code, examples."""

import importlib.util
import re
import shlex
import tomllib

import pytest
import yaml
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from fetal_seg.cli.main import COMMANDS as PROGRAM_COMMANDS
from fetal_seg.cli.measure import parser
from fetal_seg.cli.overrides import as_hydra_takes, is_of_hydra, jobs_of, with_named_runs
from fetal_seg.cli.validation import validate
from fetal_seg.config import commands
from fetal_seg.config.choices import Choice
from fetal_seg.models.building import build_network, count_parameters
from tests.conftest import DRAWN, ROOT, drawn_head
from tests.forking import fork_command

CONF = ROOT / "conf"
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").rglob("*.md"))]
EXTENDING = ROOT / "docs" / "extending.md"  # names what it adds; tests/test_extending.py runs it
FOLDERS = "fetal_seg|conf|docs|tests|studies|tools|benchmarks"
PLACEHOLDER = re.compile(r"\b[A-Z][A-Z0-9_]+\b")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def _text(page):
    return page.read_text(encoding="utf-8")


def _spans(page):
    """The inline code of a page; one that is broken over two lines is one."""
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", BLOCK.sub("", _text(page)))]


def _commands(page):
    """The command lines of a page, of its inline code and of its blocks, without comments."""
    blocks = [code for language, code in BLOCK.findall(_text(page)) if not language]
    lines = [*_spans(page), *(line for code in blocks for line in code.splitlines())]
    parts = [part.strip() for line in lines for part in line.split(" #")[0].split("&&")]
    return [part.removeprefix(".venv/bin/") for part in parts]


def _example(of):
    """The Python code in the README that holds a text."""
    (code,) = [code for language, code in BLOCK.findall(_text(README)) if language == "python" and of in code]
    return code


def _choices(group):
    return {file.stem for file in (CONF / group).glob("*.yaml")}


def _keys(content, prefix=""):
    for key, value in (content or {}).items():
        yield f"{prefix}{key}"
        if isinstance(value, dict):
            yield from _keys(value, f"{prefix}{key}.")


@pytest.fixture(scope="module")
def keys():
    """All keys that a file of conf/ has, as the command line names them."""
    known = set()
    for file in CONF.rglob("*.yaml"):
        group = file.parent.relative_to(CONF).as_posix()
        prefix = "" if group in (".", "experiment") else f"{group.replace('/', '.')}."
        known |= set(_keys(yaml.safe_load(file.read_text(encoding="utf-8")), prefix))
    return known


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_path_that_it_names_is_there(page):
    text = _text(page)
    added = re.findall(r"\bNew file `([^`]+)`", text)
    for match in re.findall(rf"(?<![\w./-])((?:{FOLDERS})/[\w./*-]*)", text):
        path = match.rstrip(".")
        if not PLACEHOLDER.search(path) and path not in added:
            assert any(ROOT.glob(path.rstrip("/"))), path


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pictures_and_links_resolve(page):
    for target in re.findall(r"\]\(([^)]+)\)", _text(page)):
        if not target.startswith("https://"):
            path, _, anchor = target.partition("#")
            file = page.parent / path if path else page
            assert file.exists(), target
            headings = re.findall(r"^#+ (.*)$", _text(file), re.MULTILINE) if anchor else []
            slugs = [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings]
            assert not anchor or anchor in slugs, target


def test_all_pages_are_listed():
    listed = re.findall(r"\]\(([^)#]+)\)", _text(ROOT / "docs" / "README.md"))
    pages = {page.name for page in (ROOT / "docs").glob("*.md")}
    assert pages - {"README.md", "index.md", "changelog.md"} <= set(listed)  # these are of the site alone


def test_the_architecture_lists_the_packages():
    text = _text(ROOT / "docs" / "architecture.md")
    packages = {file.parent.name for file in (ROOT / "fetal_seg").glob("*/__init__.py")}
    assert set(re.findall(r"^\| \d \| `(\w+)/`", text, re.MULTILINE)) == packages
    (diagram, *_) = (code for language, code in BLOCK.findall(text) if not language)
    for package, module in re.findall(r"\b([a-z]+)/([a-z_]+)\b", diagram):
        if package in packages:
            assert any((ROOT / "fetal_seg" / package).glob(f"{module}*")), f"{package}/{module}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_script_module_target_and_extra_that_it_names_is_there(page):
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for line in _commands(page):
        match line.split():
            case ["python", "-m", module, *_]:
                assert importlib.util.find_spec(module), line
            case ["python", script, *_]:
                assert (ROOT / script).is_file(), line
            case ["make", target, *_]:
                assert target in targets, line
            case ["pip", "install", requirement]:
                extras = re.fullmatch(
                    r"fetal_seg(?:-[\d.]+-py3-none-any\.whl)?(?:\[([\w,]+)])?", requirement.strip("'\"")
                )
                if extras is None:  # another's package
                    continue
                assert set((extras[1] or "train").split(",")) <= set(project["optional-dependencies"]), line
            case ["fetal-seg", command, *arguments]:
                assert command.startswith("--") or command in PROGRAM_COMMANDS or PLACEHOLDER.fullmatch(command), line
                if command == "measure" and arguments and "[" not in line:
                    parser().parse_args(arguments)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_choice_and_key_that_it_names_is_there(page, keys):
    if page == EXTENDING:
        return
    for span in _spans(page):
        for key, value in re.findall(r"(?<![\w./-])([a-z][\w./]*)=(\S*)", span):
            if is_of_hydra(f"{key}=") or span.startswith("make "):
                continue
            if (CONF / key).is_dir():
                chosen = {part for part in value.strip("[]").split(",") if part and not PLACEHOLDER.fullmatch(part)}
                assert chosen <= _choices(key), span
            else:
                assert key in keys, span


COMMANDS = sorted(
    {
        line
        for page in PAGES
        for line in _commands(page)
        if page != EXTENDING
        and re.match(r"(python \w+\.py|fetal-seg [a-z]+ \S+=)", line)
        and not re.search("--help|KEY=VALUE", line)
    }
)


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_that_a_page_names_has_a_right_configuration(line):
    script, *arguments = shlex.split(line)[1:]
    name = script.removesuffix(".py")
    given = [argument for argument in arguments if argument not in ("-m", "...")]
    given = [text for text in given if not ((CONF / text.split("=")[0]).is_dir() and PLACEHOLDER.search(text))]
    given = with_named_runs(given) if name == "report" else given
    taken = [text for text in as_hydra_takes(given) if not is_of_hydra(text)]
    assert "-m" in arguments or len(jobs_of(taken)) == 1, "several values need -m"
    for job in jobs_of(taken):
        with initialize_config_dir(str(CONF), version_base="1.3"):
            plain = OmegaConf.to_container(compose(name, job), resolve=True)
        validate(plain, getattr(commands, f"{name.capitalize()}Config"), [CONF])


def test_there_are_commands_to_check():
    assert len(COMMANDS) > 25
    assert {"python predict.py input=scan.png pixel_size_mm=0.12", "python train.py data.root=FOLDER"} <= set(COMMANDS)


def test_the_readme_is_short_and_begins_with_two_commands():
    assert len(_text(README).splitlines()) <= 150
    first = BLOCK.search(_text(README))[2]
    assert [line.split(" #")[0].strip() for line in first.splitlines()] == ["make demo", "make test"]


@pytest.mark.parametrize("name", ["encoder_decoder", "lite", "unet", "smp"])
def test_parameter_counts(name):
    stated = re.search(rf"`model={name}`[^|]*\| ([\d,]+) \|", _text(README))
    assert stated, "the README's table has a row for each network"
    assert count_parameters(build_network(Choice(name))) == int(stated[1].replace(",", ""))


def _run(code, folder):
    (folder / "example.py").write_text(code, encoding="utf-8")
    return fork_command(folder / "example.py", [], folder, timeout=300)


def test_the_library_example_measures_a_head(tmp_path):
    from fetal_seg.images.grey import write_image

    write_image(tmp_path / "scan.png", drawn_head(DRAWN))
    done = _run(_example("Predictor.load"), tmp_path)
    assert done.returncode == 0, done.stderr
    flag, hc_mm = done.stdout.split()[:2]
    assert flag in ("ok", "check")
    assert float(hc_mm) == pytest.approx(0.12 * DRAWN.circumference, rel=0.05)


def test_the_library_example_trains_a_network(tmp_path):
    done = _run(_example("HeadDataModule"), tmp_path)
    assert done.returncode == 0, done.stderr
    assert "'test/dice': tensor(" in done.stdout
