"""Both ways on real predictions: of phantoms, whose truth is known."""

from fetal_seg.config.data import PhantomConfig
from fetal_seg.data.loading import load_records
from fetal_seg.evaluation.proving import compare
from fetal_seg.inference.predictor import Predictor


def test_a_network_beside_itself_differs_in_nothing(good, cache_dir):
    records = load_records(PhantomConfig(images=24, test_images=3).choice, cache_dir)[:4]
    predictor = Predictor.load(good, "cpu", precision="32-true")
    parity = compare(predictor, predictor, records)
    assert parity.percent == (0.0, 0.0)
    assert (parity.flags, len(parity.pairs)) == (0, 4)
    assert [pair.file for pair in parity.pairs] == [record.name for record in records]
    assert all(pair.reference.milliseconds > 0 for pair in parity.pairs)
