"""How well a head was found, in tests."""

from fetal_seg.measurement.quality import Limits, Quality

GOOD = Quality(
    confidence=0.99,
    agreement=0.99,
    cut=0.0,
    contrast=120.0,
    novelty=0.5,
    spread=0.01,
    limits=Limits(review_below=0.9, reject_below=0.75),
)
