"""Ellipses, frames and the size of a pixel: numbers alone, no files, no networks."""
