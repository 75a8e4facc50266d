import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetal_seg.training.sampling import EpochSampler, ResumableLoader


def test_order_is_a_function_of_seed_and_epoch():
    def order(seed, epoch):
        sampler = EpochSampler(50, seed, shuffle=True)
        sampler.set_epoch(epoch)
        return list(sampler)

    assert order(0, 3) == order(0, 3)
    assert sorted(index for _, index in order(0, 3)) == list(range(50))
    assert [i for _, i in order(0, 3)] != [i for _, i in order(0, 4)]
    assert [i for _, i in order(0, 3)] != [i for _, i in order(1, 3)]


def test_weights_say_how_often_images_come_to_the_next_whole_number():
    weights = np.array([1.0] * 30 + [5.0] * 10)
    counts = np.zeros(40, int)
    for epoch in range(5):
        sampler = EpochSampler(40, 0, shuffle=True, weights=weights)
        sampler.set_epoch(epoch)
        drawn = np.bincount([index for _, index in sampler], minlength=40)
        assert drawn.sum() == 40
        assert set(drawn[:30]) <= {0, 1}
        assert set(drawn[30:]) <= {2, 3}  # 5 / 80 of 40 draws are 2.5
        counts += drawn
    assert counts[:30].sum() / counts.sum() == pytest.approx(30 / 80, abs=0.03)


def test_a_pass_can_leave_out_what_a_checkpoint_has_seen():
    def loader():
        return ResumableLoader(list(range(20)), batch_size=4, sampler=range(20))

    first = loader()
    passes = iter(first)
    seen = [next(passes), next(passes)]
    second = loader()
    second.load_state_dict(first.state_dict())
    assert [batch.tolist() for batch in [*seen, *second]] == [batch.tolist() for batch in loader()]
    assert len(list(second)) == 5  # the next epoch is whole
    assert len(list(first)) == 5
    whole = loader()
    whole.load_state_dict({"batches": 5})  # of an epoch that had ended
    assert len(list(whole)) == 5


@given(count=st.integers(1, 60), processes=st.integers(1, 5), batch=st.integers(1, 6), weighted=st.booleans())
def test_processes_together_take_the_batches_of_one(count, processes, batch, weighted):
    weights = np.random.default_rng(count).uniform(0.2, 3, count) if weighted else None

    def order(rank=0, of=1, shuffle=True):
        sampler = EpochSampler(count, 7, shuffle=shuffle, weights=weights, rank=rank, processes=of)
        sampler.set_epoch(3)
        taken = [index for _, index in sampler]
        assert len(taken) == len(sampler)
        return taken

    alone, shares = order(), [order(rank, processes) for rank in range(processes)]
    assert len({len(share) for share in shares}) == 1
    for step in range(count // (batch * processes)):
        together = [index for share in shares for index in share[step * batch : (step + 1) * batch]]
        whole = alone[step * batch * processes : (step + 1) * batch * processes]
        assert sorted(together) == sorted(whole)
    assert {index for share in shares for index in share} == set(alone)
    validated = [index for rank in range(processes) for index in order(rank, processes, shuffle=False)]
    assert sorted(validated) == list(range(count))  # none twice
