"""The One Euro filter: calm when the mouth is still, quick when it moves.

Source: Casiez, Roussel and Vogel 2012, "1 Euro Filter: A Simple Speed-based Low-pass Filter for Noisy Input in
Interactive Systems", CHI 2012.
"""

from math import isfinite, pi

MIN_CUTOFF = 1.0  # Hz


class OneEuroFilter:
    """A filter that smooths a value which arrives at irregular times.

    It depends on the times alone, never on the number of values, so that it behaves alike at 10 and at 60 frames/s.
    """

    def __init__(self, min_cutoff: float = MIN_CUTOFF, beta: float = 5.0, derivative_cutoff: float = 1.0) -> None:
        """Set the parameters.

        Args:
            min_cutoff: the cut-off frequency in Hz while the value rests; lower is calmer and slower.
            beta: the rise of the cut-off, in Hz for each unit/s of speed; higher lags less.
            derivative_cutoff: the cut-off frequency in Hz for smoothing the speed.

        Raises:
            ValueError: a parameter is not finite, a cut-off is not above 0, or beta is below 0.
        """
        if not (isfinite(beta) and beta >= 0):
            raise ValueError(f"beta: expected a number from 0 up, got {beta}")
        self._min_cutoff = _checked("min_cutoff", min_cutoff)
        self._beta = beta
        self._derivative_cutoff = _checked("derivative_cutoff", derivative_cutoff)
        self.reset()

    def use_cutoff(self, min_cutoff: float) -> None:
        """Use another cut-off frequency (Hz) while the value rests, and keep the value.

        Raises:
            ValueError: it is not finite, or not above 0.
        """
        self._min_cutoff = _checked("min_cutoff", min_cutoff)

    def reset(self) -> None:
        """Forget all values."""
        self._time: float | None = None  # None, not 0.0, because a video may start at 0
        self._value = 0.0
        self._speed = 0.0

    def __call__(self, value: float, time: float) -> float:
        """Take a value and return the smoothed one.

        Args:
            value: the raw value.
            time: its time in seconds. Where it is not later than the previous one, the value is ignored and the last
                smoothed value returned: two values of the same moment have no speed.
        """
        if self._time is None:
            self._time, self._value = time, value
            return value
        step = time - self._time
        if step <= 0:
            return self._value
        self._time = time
        self._speed += _gain(self._derivative_cutoff, step) * ((value - self._value) / step - self._speed)
        cutoff = self._min_cutoff + self._beta * abs(self._speed)
        self._value += _gain(cutoff, step) * (value - self._value)
        return self._value


def _checked(name: str, cutoff: float) -> float:
    if not (isfinite(cutoff) and cutoff > 0):
        raise ValueError(f"{name}: expected a frequency above 0 Hz, got {cutoff}")
    return cutoff


def _gain(cutoff: float, step: float) -> float:
    """Return the weight of the new value in an exponential filter with a cut-off (Hz), after a step (s)."""
    r = 2 * pi * cutoff * step
    return r / (r + 1)
