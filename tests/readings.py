"""Made readings and label tables for the tests of evaluation."""

import csv
import math

import numpy as np

from mouth_live.models.training.evaluation.readings import FaceReading

COLUMNS = ["file", "set", "part", "person", "gap_ratio", "landmarker_gap_ratio", "mouth_points_hidden"]
COLUMNS += ["eye1_x", "eye1_y", "eye2_x", "eye2_y", "note"]


def write_labels(folder, rows):
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows({"set": "a", "part": "test", "person": i} | row for i, row in enumerate(rows))
    return folder


def reading(truth=0.5, value=0.5, file="f.jpg", source="a", group="a/1", by_people=True, **more):
    seen = {"reliability": math.nan, "landmarker": math.nan, "turn": 5.0, "size": 100.0, "sharpness": 300.0}
    return FaceReading(file, source, group, by_people, truth, value, **(seen | {"brightness": 120.0} | more))


def some_readings(count=200, error=0.1, seed=0, **more):
    rng = np.random.default_rng(seed)
    truth = rng.random(count)
    value = np.clip(truth + rng.normal(0, error, count), 0, 1)
    return [
        reading(float(t), float(v), f"{i}.jpg", "ab"[i % 2], f"p{i}", **more)
        for i, (t, v) in enumerate(zip(truth, value, strict=True))
    ]
