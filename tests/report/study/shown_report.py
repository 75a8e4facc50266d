"""A report as a browser shows it, for tests."""

import csv
from html.parser import HTMLParser

from fetal_seg.commands.report import report_runs
from fetal_seg.evaluation.runs import read_runs


class Page(HTMLParser):
    """What a page shows: its text, and the tags with their attributes."""

    def __init__(self, path):
        super().__init__()
        self.source = path.read_text(encoding="utf-8")
        self.words, self.tags, self._hidden = [], [], False
        self.feed(self.source)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._hidden = tag in ("style", "script")

    def handle_endtag(self, tag):
        self._hidden = False

    def handle_data(self, data):
        if not self._hidden:
            self.words.append(data)

    def named(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def report(folder, output=None):
    output = output or folder
    report_runs(output, read_runs([folder]), title="A sweep", again=["python train.py -m model=a,b"])
    with (output / "summary.csv").open(newline="") as file:
        return Page(output / "report.html"), list(csv.DictReader(file))
