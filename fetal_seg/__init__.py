"""Segmentation of the fetal head in 2D ultrasound, and its circumference in millimetres."""

__version__ = "0.1.0"
