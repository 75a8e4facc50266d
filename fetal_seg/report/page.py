"""What all pages of this project are rendered with."""

import jinja2


def environment() -> jinja2.Environment:
    """Templates of this package; values are escaped, and one that is missing is an error."""
    return jinja2.Environment(
        loader=jinja2.PackageLoader("fetal_seg.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
