"""Tests of the One Euro filter."""

import math

import numpy as np
import pytest

from mouth_live.realtime.lips.smoothing import OneEuroFilter


def run(values, times, **parameters):
    smooth = OneEuroFilter(**parameters)
    return np.array([smooth(v, t) for v, t in zip(values, times, strict=True)])


def test_starts_at_the_first_value_also_at_time_zero():
    assert run([0.7, 0.7], [0.0, 0.1]).tolist() == [0.7, 0.7]


def test_time_zero_counts_as_a_time():
    # An implementation that takes t = 0.0 for "no time" jumps straight to the second value.
    assert run([0.0, 1.0], [0.0, 0.04])[1] < 1.0


def test_time_that_stands_still_or_goes_back_changes_nothing():
    smooth = OneEuroFilter()
    first, second = smooth(0.0, 1.0), smooth(0.5, 1.1)
    assert first == 0.0
    assert smooth(0.9, 1.1) == second
    assert smooth(0.9, 0.5) == second
    assert second < smooth(0.5, 1.2) < 0.5


def test_calms_a_still_mouth():
    rng = np.random.default_rng(0)
    times = np.arange(0, 10, 1 / 30)
    noisy = 0.3 + rng.normal(0, 0.02, len(times))
    assert run(noisy, times)[30:].std() < 0.6 * noisy.std()


def test_follows_a_fast_opening():
    times = np.arange(0, 1, 1 / 30)
    smooth = run(np.where(times < 0.5, 0.0, 1.0), times)
    lag = np.interp(0.5, smooth, times) - 0.5
    assert lag < 0.06


@pytest.mark.parametrize("rate", [10, 30, 60])
def test_acts_alike_at_any_frame_rate(rate):
    times = np.arange(0, 3, 1 / rate)
    smooth = run(0.5 + 0.4 * np.sin(2 * np.pi * 0.5 * times), times)
    dense_times = np.arange(0, 3, 1 / 240)
    dense = run(0.5 + 0.4 * np.sin(2 * np.pi * 0.5 * dense_times), dense_times)
    assert np.abs(smooth - np.interp(times, dense_times, dense))[rate // 2 :].max() < 0.06


def test_reset_forgets():
    smooth = OneEuroFilter()
    smooth(0.0, 0.0)
    smooth.reset()
    assert smooth(0.8, 0.1) == 0.8


@pytest.mark.parametrize(
    "bad",
    [{"min_cutoff": 0}, {"min_cutoff": math.nan}, {"beta": -1}, {"beta": math.inf}, {"derivative_cutoff": -2}],
)
def test_refuses_bad_parameters(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        OneEuroFilter(**bad)


def test_it_is_the_one_euro_filter_of_its_paper():
    """Compared with the paper's own formulas, at irregular times, with the parameters that are the default here."""
    rng = np.random.default_rng(3)
    times = np.cumsum(rng.uniform(0.005, 0.2, 300))
    values = np.clip(np.cumsum(rng.normal(0, 0.1, 300)), 0, 1)
    smooth, expected = OneEuroFilter(), []

    def alpha(cutoff: float, step: float) -> float:
        return 1 / (1 + 1 / (2 * np.pi * cutoff) / step)  # tau / Te, algorithm 2 of the paper

    filtered = derivative = 0.0
    for number, (time, value) in enumerate(zip(times, values, strict=True)):
        if number == 0:
            filtered = value
        else:
            step = time - times[number - 1]
            speed = (value - filtered) / step
            share = alpha(1.0, step)
            derivative = share * speed + (1 - share) * derivative
            share = alpha(1.0 + 5.0 * abs(derivative), step)
            filtered = share * value + (1 - share) * filtered
        expected.append(filtered)
    assert [smooth(v, t) for v, t in zip(values, times, strict=True)] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("beta", [0.0, 0.5])
def test_a_beta_from_zero_on_is_taken(beta):
    smooth = OneEuroFilter(beta=beta)
    assert smooth(0.0, 0.0) == 0.0
    assert 0 < smooth(1.0, 0.04) < 1
