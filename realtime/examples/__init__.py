"""Small programs to begin your own with; run one with ``python -m mouth_live.realtime.examples.NAME [VIDEO]``."""
