"""The version of the package, for those parts of it that write it down."""

__version__ = "1.0.0"
