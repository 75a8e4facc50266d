"""What tests look at in figures."""

from PIL import Image


def line(axes, label):
    """The one line whose label begins so."""
    (found,) = [line for line in axes.get_lines() if line.get_label().startswith(label)]
    return found


def is_png(path):
    """Whether a file is a whole PNG of a figure's size."""
    with Image.open(path) as image:
        image.load()
        return image.format == "PNG" and min(image.size) > 300
