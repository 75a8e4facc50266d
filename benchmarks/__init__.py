"""Measurements of speed for docs/speed.md."""
