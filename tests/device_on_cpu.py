"""A device for batches made of the networks that run on the CPU: the same interface as ``models/gpu``, other code."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from mouth_live.models.crop import crop_faces
from mouth_live.models.face import Face
from mouth_live.models.faces import FaceFinder
from mouth_live.models.gpu.passes import DetectorPass
from mouth_live.models.openness import Estimates, OpennessModel
from mouth_live.models.rolls import turned, turned_back
from mouth_live.realtime.faces.batches.device import Colours, Device

Picture = NDArray[np.uint8]


class Pictures:
    """Pictures that stay where they are."""

    def __init__(self, images: Sequence[Picture]) -> None:
        self.images, self.count = images, len(images)
        self.height, self.width = images[0].shape[:2]

    def thumbnails(self) -> Picture:
        share = 192 / max(self.height, self.width)
        size = (round(self.width * share), round(self.height * share))
        return np.stack([cv2.resize(image, size, interpolation=cv2.INTER_AREA) for image in self.images])


class CpuFinder:
    def __init__(self, finder: FaceFinder) -> None:
        self._finder = finder

    def detect(self, batch: Pictures, passes: Sequence[DetectorPass]) -> list[list[Face]]:
        return [self._detect(batch.images[one.frame], one) for one in passes]

    def _detect(self, image: Picture, one: DetectorPass) -> list[Face]:
        if one.exact is False:
            return self._finder.detect_in_tile(image, one.area)
        area, (height, width) = one.area, image.shape[:2]
        left, top = max(0, area.left), max(0, area.top)
        right, bottom = min(width, area.right), min(height, area.bottom)
        if left - area.left > 0.4 * width:  # padded
            image = cv2.copyMakeBorder(
                image, -area.top, area.bottom - height, -area.left, area.right - width, cv2.BORDER_CONSTANT
            )
            if one.grey:
                image = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
            left, top = area.left, area.top
        else:
            image = image[top:bottom, left:right]
        if not image.size:
            return []
        found = self._finder.detect(turned(image, one.quarters))
        height, width = image.shape[:2]
        faces = [turned_back(face, one.quarters, width, height) for face in found]
        shift = np.array([left, top], np.float32)
        return [
            Face((f.box[0] + left, f.box[1] + top, f.box[2], f.box[3]), f.keypoints + shift, f.score) for f in faces
        ]

    def evidence(self, batch: Pictures, faces: Sequence[tuple[int, Face]]) -> NDArray[np.float32]:
        return np.array([self._finder.evidence(batch.images[n], [face])[0] for n, face in faces], np.float32)


class CpuReader:
    def __init__(self, model: OpennessModel) -> None:
        self._model = model

    def read(self, batch: Pictures, faces: Sequence[tuple[int, Face]]) -> Estimates:
        return self._model.read(self.crops(batch, faces))

    def crops(self, batch: Pictures, faces: Sequence[tuple[int, Face]]) -> Picture:
        return np.concatenate([crop_faces(batch.images[n], [face]) for n, face in faces])


def of_planes(planes: Sequence[object], size: tuple[int, int], colours: Colours) -> Pictures:
    """Convert NV12 of BT.601 in the range of video, as OpenCV does."""
    width, height = size
    converted = [cv2.cvtColor(np.from_dlpack(plane)[:, :width], cv2.COLOR_YUV2BGR_NV12) for plane in planes]
    return Pictures([picture[:height] if colours.matrix == "bt601" else 255 - picture for picture in converted])


def cpu_device(finder: FaceFinder, model: OpennessModel, min_face: int = 40) -> Device:
    return Device(CpuFinder(finder), CpuReader(model), Pictures, of_planes, min_face)
