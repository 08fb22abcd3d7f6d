"""What the peers do with a clip. Runs in a Python of its own, which has mediapipe and need not have mouth-live.

    python peers.py landmarker CLIP MODEL [FRAMES]    FaceLandmarker, one face, with blendshapes
    python peers.py detector CLIP MODEL [FRAMES]      its detector alone on every frame: half of the naive way

Prints one line of JSON: frames, seconds, readings. Neither pictures nor results go anywhere; mediapipe itself posts
use data when it runs for a minute, which no clip here does.
"""

import json
import sys
import time
from pathlib import Path

import cv2
import mediapipe as mp
from mediapipe.tasks import python as tasks
from mediapipe.tasks.python import vision


def main() -> None:
    task, clip, model = sys.argv[1:4]
    limit = int(sys.argv[4]) if len(sys.argv) > 4 else 10**9
    base = tasks.BaseOptions(model_asset_buffer=Path(model).read_bytes())
    if task == "landmarker":
        options = vision.FaceLandmarkerOptions(
            base, running_mode=vision.RunningMode.VIDEO, num_faces=1, output_face_blendshapes=True
        )
        landmarker = vision.FaceLandmarker.create_from_options(options)

        def read(image: mp.Image, milliseconds: int) -> int:
            return len(landmarker.detect_for_video(image, milliseconds).face_blendshapes)
    else:
        detector = vision.FaceDetector.create_from_options(vision.FaceDetectorOptions(base))

        def read(image: mp.Image, milliseconds: int) -> int:
            return len(detector.detect(image).detections)

    video, frames, readings = cv2.VideoCapture(clip), 0, 0
    begin = time.perf_counter()
    while frames < limit:
        got, picture = video.read()
        if not got:
            break
        image = mp.Image(image_format=mp.ImageFormat.SRGB, data=cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
        readings += read(image, round(frames * 1000 / 30))
        frames += 1
    seconds = time.perf_counter() - begin
    print(json.dumps({"frames": frames, "seconds": seconds, "readings": readings}), flush=True)
    import os

    os._exit(0)  # closing the Task would post use data


main()
