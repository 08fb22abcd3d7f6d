"""Outputs to apps: what ``--to``, ``--on-start`` and ``--on-stop`` name.

A frame's news (:mod:`.moments`) goes through a mailbox (:mod:`.mailbox`) to a worker (:mod:`.worker`) for each output,
beside the capture loop. Each output is a small class over one protocol (:mod:`.output`); :mod:`.schemes` lists them,
:mod:`.addresses` reads their URLs and :mod:`.fan_out` holds them together.
"""
