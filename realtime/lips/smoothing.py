"""The One Euro filter: calm when the mouth is still, quick when it moves.

Source: Casiez, Roussel and Vogel 2012, "1 Euro Filter: A Simple Speed-based Low-pass Filter for Noisy Input in
Interactive Systems", CHI 2012.
"""

from math import isfinite, pi


class OneEuroFilter:
    """Smooths a value that arrives at irregular times.

    It depends on the times alone, never on how many values came, so that it acts alike at 10 and at 60 frames/s.
    """

    def __init__(self, min_cutoff: float = 1.0, beta: float = 5.0, derivative_cutoff: float = 1.0) -> None:
        """Begin without a past.

        Args:
            min_cutoff: cut-off frequency in Hz while the value rests; lower is calmer and slower.
            beta: how much the cut-off rises, in Hz for each unit/s of speed; higher lags less.
            derivative_cutoff: cut-off frequency in Hz of the speed's own smoothing.

        Raises:
            ValueError: a parameter is not finite, a cut-off not above 0, or beta below 0.
        """
        for name, value in (("min_cutoff", min_cutoff), ("derivative_cutoff", derivative_cutoff)):
            if not (isfinite(value) and value > 0):
                raise ValueError(f"{name}: expected a frequency above 0 Hz, got {value}")
        if not (isfinite(beta) and beta >= 0):
            raise ValueError(f"beta: expected a number from 0 up, got {beta}")
        self._min_cutoff = min_cutoff
        self._beta = beta
        self._derivative_cutoff = derivative_cutoff
        self.reset()

    def reset(self) -> None:
        """Forget the past."""
        self._time: float | None = None  # None, never 0.0: a video may well start at 0
        self._value = 0.0
        self._speed = 0.0

    def __call__(self, value: float, time: float) -> float:
        """Take a value in and return the smoothed one.

        Args:
            value: the raw value.
            time: when it was taken, in seconds. A time not after the last one changes nothing but returns the last
                smoothed value: two frames of one moment carry no speed.
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


def _gain(cutoff: float, step: float) -> float:
    """Weight of the new value in an exponential filter of a cut-off (Hz) after a step (s)."""
    r = 2 * pi * cutoff * step
    return r / (r + 1)
