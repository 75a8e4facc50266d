"""The data sources: a module for each. See ``fetal_seg.data.loading.load_records``."""
