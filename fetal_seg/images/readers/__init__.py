"""The readers of image files: a module for each kind. See ``fetal_seg.images.reader.Reader``."""
