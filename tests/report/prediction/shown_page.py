"""A page of predictions as a browser shows it, for tests."""

from html.parser import HTMLParser


class Page(HTMLParser):
    """What a browser would make of a page: elements with attributes, and the text of the table's cells."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.rows, self.cell = [], [], None
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.cell = ["", dict(attributes).get("data-v")]
            self.rows[-1].append(self.cell)

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.cell = None

    def handle_data(self, data):
        if self.cell is not None:
            self.cell[0] = (self.cell[0] + data).strip()

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    def column(self, heading):
        place = [text for text, _ in self.rows[0]].index(heading)
        return [tuple(row[place]) for row in self.rows[1:]]
