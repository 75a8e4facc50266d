"""The studies that docs/ reports; each module prints the figures of a page."""
