"""Pictures on the GPU: the networks and all that is done to pictures there give what the CPU gives.

They run in Keras on TensorFlow, on the CPU where there is no GPU. ``benchmarks/gpu_parity.py`` compares on JAX and
PyTorch too.
"""

import subprocess
import sys
from dataclasses import replace
from unittest import mock

import cv2
import numpy as np
import pytest
import skimage.data
from lamps import lit

from mouth_live.models import DeviceError, Face, ModelError, crop_faces, load_openness_model
from mouth_live.models.blazeface import BlazeFace, InputWindow, window_input
from mouth_live.models.crop import WHOLE_FACE
from mouth_live.models.errors import OutOfDeviceMemoryError
from mouth_live.models.face_check import FaceCheck
from mouth_live.models.gpu import DetectorPass, FrameBatch, GpuFinder, GpuReader, backend, limit_gpu_memory, warp
from mouth_live.models.gpu.network import GpuNetwork
from mouth_live.models.light import network_input
from mouth_live.models.openness import UNSURE, gpu_backend
from mouth_live.models.rectangle import Rectangle
from mouth_live.models.rolls import turned, turned_back
from mouth_live.models.weights_file import LiteRtNetwork, load_weights

pytestmark = pytest.mark.train
ASTRONAUT = np.ascontiguousarray(skimage.data.astronaut()[..., ::-1])  # BGR, 512 x 512
LARGE = cv2.copyMakeBorder(cv2.resize(ASTRONAUT, (720, 720)), 0, 0, 300, 260, cv2.BORDER_REFLECT)  # 1280 x 720
LAMPS = ("blue", "magenta", "green", "red", "night", "blue night")


@pytest.fixture(scope="module")
def gpu() -> GpuFinder:
    return GpuFinder()


@pytest.fixture(scope="module")
def reader() -> GpuReader:
    return GpuReader()


@pytest.fixture(scope="module")
def face() -> Face:
    (found,) = BlazeFace().detect(ASTRONAUT)
    return found


def placed(face: Face, scale: float = 1.0, degrees: float = 0.0, to: tuple[float, float] = (256, 256)) -> Face:
    """The face larger or smaller, turned, its middle elsewhere."""
    matrix = cv2.getRotationMatrix2D(tuple(map(float, face.keypoints.mean(axis=0))), degrees, scale)
    points = face.keypoints @ matrix[:, :2].T + matrix[:, 2]
    return replace(face, keypoints=(points - points.mean(axis=0) + to).astype(np.float32))


@pytest.mark.parametrize(
    ("name", "task"),
    [
        ("face_detection_full_range_sparse", "detection"),
        ("face_check", "face-check"),
        ("openness_compact", "openness"),
        ("openness_reference", "openness"),
    ],
)
@pytest.mark.slow
def test_each_network_gives_what_litert_gives(name, task, face):
    weights = load_weights(name, task)
    network = GpuNetwork(weights)
    views = [ASTRONAUT, ASTRONAUT[:, ::-1], lit(ASTRONAUT, "blue")]
    if task == "detection":
        given = [np.concatenate([window_input(InputWindow(v, 0, 0, 512 / 192, (192, 192), True))[0] for v in views])]
    else:
        size, *_ = max(network.input_shapes, key=len)
        pictures = network_input(np.concatenate([crop_faces(v, [face], WHOLE_FACE, size) for v in views]))
        pair = np.array([(0.5, 0.5), (0.2, 0.8), (1, 0)], np.float32)
        given = [pictures if len(shape) == 3 else pair for shape in network.input_shapes]
    for ours, expected in zip(backend.compiled(network)(*given), LiteRtNetwork(weights)(*given), strict=True):
        assert np.ptp(expected) > 1e-5
        assert backend.to_host(ours) == pytest.approx(expected, abs=1e-3 if task == "detection" else 1e-5)


def test_a_file_with_another_operator_is_refused():
    from ai_edge_litert import schema_py_generated as schema
    from flatbuffers import Builder

    weights = load_weights("face_check", "face-check")
    model = schema.ModelT.InitFromPackedBuf(weights.content, 0)
    (code,) = (c for c in model.operatorCodes if c.builtinCode == schema.BuiltinOperator.LOGISTIC)
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.TANH
    builder = Builder()
    builder.Finish(model.Pack(builder), b"TFL3")
    with pytest.raises(ModelError, match=r"face_check: operators that do not run on the GPU: TANH"):
        GpuNetwork(replace(weights, content=bytes(builder.Output())))


AREAS = {
    "whole": (ASTRONAUT, Rectangle(0, 0, 512, 512)),
    "a part": (ASTRONAUT, Rectangle(100, 10, 300, 250)),
    "padded": (ASTRONAUT, Rectangle(-256, -256, 1024, 1024)),
    "large": (LARGE, Rectangle(0, 0, 1280, 720)),
    "a large part": (LARGE, Rectangle(300, 0, 655, 655)),
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if "part" in name else name for name in AREAS]
)
def test_faces_are_detected_as_on_the_cpu(name, gpu):
    image, area = AREAS[name]
    around = cv2.copyMakeBorder(image, 512, 512, 512, 512, cv2.BORDER_CONSTANT)
    part = around[area.top + 512 : area.bottom + 512, area.left + 512 : area.right + 512]
    sideways = [turned(image, quarters) for quarters in (0, 1, 2, 3)]
    square = image is ASTRONAUT and name == "whole"
    for quarters, picture in enumerate(sideways if square else [image]):
        back = -quarters % 4
        one = DetectorPass(0, area, back)
        (found,) = gpu.detect(FrameBatch.upload([picture]), [one])
        seen = part if not quarters else turned(picture, back)
        expected = [
            turned_back(face, back, area.width, area.height) for face in BlazeFace().detect(np.ascontiguousarray(seen))
        ]
        assert expected
        assert len(found) == len(expected)
        for ours, theirs in zip(found, expected, strict=True):
            offset = np.array([area.left, area.top])
            assert np.abs(ours.keypoints - offset - theirs.keypoints).max() < 0.1 * one.scale
            assert np.abs(np.array(ours.box[:2]) - offset - theirs.box[:2]).max() < 0.1 * one.scale
            assert ours.score == pytest.approx(theirs.score, abs=2e-3)


@pytest.mark.slow
def test_passes_over_many_pictures_do_not_mix(gpu):
    pictures = [ASTRONAUT, np.zeros_like(ASTRONAUT), lit(ASTRONAUT, "blue"), ASTRONAUT[:, ::-1].copy()]
    whole, part = Rectangle(0, 0, 512, 512), Rectangle(100, 10, 300, 250)
    passes = [DetectorPass(frame, area) for frame in (3, 1, 2, 0) for area in (whole, part, whole)]
    together = gpu.detect(FrameBatch.upload(pictures), passes)
    assert [len(faces) for faces in together] == [1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1]
    for one, faces in zip(passes, together, strict=True):
        (alone,) = gpu.detect(FrameBatch.upload([pictures[one.frame]]), [replace(one, frame=0)])
        for ours, theirs in zip(faces, alone, strict=True):
            assert ours.keypoints == pytest.approx(theirs.keypoints, abs=0.01)


def test_a_pass_without_colours_is_one_over_a_grey_picture(gpu):
    grey = cv2.cvtColor(cv2.cvtColor(ASTRONAUT, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    whole = Rectangle(0, 0, 512, 512)
    without, with_colours = gpu.detect(
        FrameBatch.upload([ASTRONAUT]), [DetectorPass(0, whole, grey=True), DetectorPass(0, whole)]
    )
    (expected,) = BlazeFace().detect(grey)
    assert without[0].score == pytest.approx(expected.score, abs=0.01)
    assert abs(with_colours[0].score - expected.score) > 0.01


def test_the_evidence_is_that_of_the_face_check(gpu, face):
    letters = cv2.putText(np.full_like(ASTRONAUT, 200), "OO", (100, 300), cv2.FONT_HERSHEY_SIMPLEX, 6, (0, 0, 0), 30)
    batch = FrameBatch.upload([ASTRONAUT, letters])
    expected = [FaceCheck().evidence(image, [face])[0] for image in (ASTRONAUT, letters)]
    assert expected[0] > 2.5 > expected[1]
    assert gpu.evidence(batch, [(0, face), (1, face)]) == pytest.approx(expected, abs=0.05)
    assert gpu.evidence(batch, []).shape == (0,)


@pytest.mark.parametrize("scale", [0.2, 0.7, 2, 6, 30])  # all halvings
def test_crops_are_those_of_the_cpu(reader, face, scale):
    corners = [(256, 256), (3, 500), (-40, 256), (700, -100)]  # also where the border is repeated
    faces = [placed(face, scale, degrees, to) for to in corners for degrees in (0, 33, 180)]
    crops = reader.crops(FrameBatch.upload([ASTRONAUT]), [(0, face) for face in faces])
    expected = crop_faces(ASTRONAUT, faces)
    assert crops.shape == expected.shape
    difference = np.abs(crops.astype(int) - expected)
    assert difference.mean() < 0.05
    assert difference.max() <= 2


def test_crops_of_a_picture_with_odd_sides(reader, face):
    odd = ASTRONAUT[:333, :401]
    faces = [placed(face, scale, 10, (390, 320)) for scale in (2, 8, 20)]
    difference = reader.crops(FrameBatch.upload([odd]), [(0, face) for face in faces]).astype(int)
    assert np.abs(difference - crop_faces(np.ascontiguousarray(odd), faces)).mean() < 0.05


@pytest.mark.parametrize("name", ["openness_compact", pytest.param("openness_reference", marks=pytest.mark.slow)])
def test_the_openness_is_that_of_the_cpu(name, face):
    pictures = [ASTRONAUT, ASTRONAUT[:, ::-1].copy(), *(lit(ASTRONAUT, lamp) for lamp in LAMPS)]
    faces = [placed(face, 1 + i / 9, 7 * i, tuple(face.keypoints.mean(axis=0))) for i in range(len(pictures))]
    model = load_openness_model(name)
    crops = np.concatenate([crop_faces(image, [face]) for image, face in zip(pictures, faces, strict=True)])
    expected = model.read(crops)
    gpu = GpuReader(name)
    assert gpu.name == name
    values = gpu.read(FrameBatch.upload(pictures), list(enumerate(faces)))
    assert values.openness == pytest.approx(expected.openness, abs=1e-3)
    assert values.reliability == pytest.approx(expected.reliability, abs=1e-3, nan_ok=True)
    assert gpu_backend(load_weights(name, "openness"))(crops)[:, 0] == pytest.approx(expected.openness, abs=1e-4)
    if name == "openness_compact":
        assert (expected.reliability < UNSURE).any()  # some were read twice ...
        assert (expected.reliability > UNSURE).any()  # ... and some were not


def test_no_face_gives_no_value(reader):
    batch = FrameBatch.upload([ASTRONAUT])
    assert reader.read(batch, []).openness.shape == (0,)
    assert reader.crops(batch, []).shape == (0, 60, 60, 3)


@pytest.mark.slow
def test_light_is_corrected_by_the_same_rule():
    from mouth_live.models.gpu.light import network_input as on_gpu

    part = ASTRONAUT[40:240, 120:320]
    crops = np.stack([part, *(lit(part, lamp) for lamp in (*LAMPS, "pale green"))])[..., ::-1]
    ours, expected = backend.to_host(on_gpu(crops)), network_input(crops)
    changed = np.abs(expected - crops / 255).mean(axis=(1, 2, 3)) > 0.01
    assert changed.tolist() == [False, *[True] * 7]
    assert ours == pytest.approx(expected, abs=1.01 / 255)
    assert np.abs(ours - expected).mean() < 0.01 / 255


def test_new_numbers_of_faces_are_not_compiled_again(reader, face):
    batch = FrameBatch.upload([ASTRONAUT])
    reader.read(batch, [(0, face)])
    with mock.patch.object(GpuNetwork, "__call__", side_effect=AssertionError("compiled again")):
        for count in (1, 2, 7, 8):
            assert len(reader.read(batch, [(0, face)] * count).openness) == count


@pytest.mark.parametrize("full_range", [False, True])
@pytest.mark.parametrize(("matrix", "name"), [("bt601", "smpte170m"), ("bt709", "bt709")])
def test_nv12_becomes_the_picture_that_ffmpeg_makes(matrix, name, full_range):
    height, width = 182, 322
    rng = np.random.default_rng(0)
    smooth = cv2.GaussianBlur(rng.integers(0, 256, (height, width, 3), np.uint8), (0, 0), 9)
    rgb = cv2.normalize(smooth, smooth, 0, 255, cv2.NORM_MINMAX)
    colours = f"in_color_matrix={name}:in_range={'pc' if full_range else 'tv'}"
    there = f"scale=out_color_matrix={name}:out_range={'pc' if full_range else 'tv'}:flags=accurate_rnd"
    planes = converted(rgb.tobytes(), "rgb24", "nv12", there, (width, height))
    luma = height * width
    y = np.frombuffer(planes[:luma], np.uint8).reshape(height, width)
    uv = np.frombuffer(planes[luma:], np.uint8).reshape(height // 2, width)
    padded = np.full((1, 288, 384), 77, np.uint8)  # as decoders align them; the colours from two thirds on
    padded[0, :height, :width], padded[0, 192 : 192 + height // 2, :width] = y, uv
    batch = FrameBatch.of_nv12(padded, width, height, matrix, full_range)
    expected = converted(
        planes, "nv12", "rgb24", f"scale={colours}:flags=neighbor+accurate_rnd+full_chroma_int", (width, height)
    )
    difference = np.abs(
        backend.to_host(batch.pictures)[0].astype(int) - np.frombuffer(expected, np.uint8).reshape(rgb.shape)
    )
    assert (batch.count, batch.width, batch.height) == (1, width, height)
    assert difference.mean() < 1
    assert difference.max() <= 4
    odd = FrameBatch.of_nv12(padded, width - 1, height - 1, matrix, full_range).pictures
    assert np.array_equal(backend.to_host(odd), backend.to_host(batch.pictures)[:, :-1, :-1])


def converted(picture: bytes, old: str, new: str, scaling: str, size: tuple[int, int]) -> bytes:
    raw = ["-f", "rawvideo", "-pix_fmt"]
    before = ["ffmpeg", "-v", "error", *raw, old, "-s", f"{size[0]}x{size[1]}", "-i", "-"]
    after = ["-vf", f"{scaling},format={new}", *raw, new, "-"]
    return subprocess.run([*before, *after], input=picture, capture_output=True, check=True).stdout


def test_thumbnails_are_averaged():
    small = FrameBatch.upload([LARGE, LARGE[:, ::-1]]).thumbnails()
    assert small.shape == (2, 108, 192, 3)
    expected = cv2.resize(LARGE, (192, 108), interpolation=cv2.INTER_AREA)
    assert np.abs(small[0].astype(int) - expected).max() <= 1
    tiny = FrameBatch.upload([ASTRONAUT[:50, :90]]).thumbnails()
    assert np.array_equal(tiny[0], ASTRONAUT[:50, :90])


class Foreign:
    """A GPU array of another library, as a video decoder gives it; it begins so many bytes after a multiple of 64."""

    def __init__(self, array: np.ndarray, after: int = 0, *, on_host: bool = True) -> None:
        self._on_host = on_host
        memory = np.empty(array.nbytes + 128, np.uint8)
        start = -memory.ctypes.data % 64 + after
        self._array = memory[start : start + array.nbytes].reshape(array.shape)
        self._array[...] = array

    def __dlpack__(self, stream: object = None) -> object:
        return self._array.__dlpack__()

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._array.__dlpack_device__() if self._on_host else (2, 0)


def test_pictures_of_other_libraries_are_taken(face, reader):
    rgb = np.ascontiguousarray(np.stack([ASTRONAUT[..., ::-1]] * 3))
    expected = reader.crops(FrameBatch.upload([ASTRONAUT]), [(0, face)])
    for tensor in (rgb, Foreign(rgb), Foreign(rgb, after=3), backend.to_device(rgb)):
        batch = FrameBatch.of_rgb(tensor)
        assert (batch.count, batch.width, batch.height) == (3, 512, 512)
        assert np.array_equal(reader.crops(batch, [(2, face)]), expected)
        assert len(batch.thumbnails()) == 3


def test_memory_of_the_gpu_that_would_abort_tensorflow_is_one_error():
    assert int(backend.ops().sum(backend.to_device(Foreign(np.ones(8, np.uint8), on_host=False)))) == 8
    with pytest.raises(DeviceError, match="addresses that 64 divides"):
        backend.to_device(Foreign(np.ones(8, np.uint8), after=16, on_host=False))


@pytest.mark.slow  # TensorFlow waits ten seconds for memory
def test_too_little_memory_is_one_error_and_the_next_call_works():
    k = backend.ops()
    enormous = backend.compiled(lambda x: k.repeat(k.ones((1 << 20, 1)) * x, 1 << 18, axis=1))  # a terabyte
    with pytest.raises(OutOfDeviceMemoryError, match="too little free memory"):
        enormous(np.ones(1, np.float32))
    assert issubclass(OutOfDeviceMemoryError, DeviceError)
    assert backend.to_host(backend.to_device(np.ones(2, np.float32))).sum() == 2


def test_another_failure_of_the_library_is_a_device_error_and_a_mistake_of_ours_is_not():
    import tensorflow as tf

    told = (
        "Graph execution error:\n\nDetected at node a defined at\n  File b\n\nlaunch failed: illegal address\n\t [[c]]"
    )
    with pytest.raises(DeviceError) as caught, backend.device_errors():
        raise tf.errors.InternalError(None, None, told)
    assert type(caught.value) is DeviceError
    assert str(caught.value) == "the GPU failed (launch failed: illegal address); use --device cpu"
    with pytest.raises(KeyError), backend.device_errors():
        raise KeyError("mine")


def test_the_memory_is_limited_in_tensorflow():
    import tensorflow as tf

    with (
        mock.patch.object(tf.config, "list_physical_devices", return_value=["card"]),
        mock.patch.object(tf.config.experimental, "set_memory_growth"),
        mock.patch.object(tf.config, "set_logical_device_configuration") as limit,
    ):
        limit_gpu_memory(3 << 30)
        ((card, (configuration,)), _) = limit.call_args
        assert (card, configuration.memory_limit) == ("card", 3 << 10)  # MiB
        limit.side_effect = RuntimeError("Virtual devices cannot be modified after being initialized")
        with pytest.raises(DeviceError, match="only before it is used"):
            limit_gpu_memory(3 << 30)


@pytest.mark.parametrize(("answer", "share"), [("echo 81559", "0.1000"), ("echo none", None), ("exit 9", None)])
def test_the_memory_is_limited_in_jax(answer, share, tmp_path, monkeypatch):
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{answer}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("XLA_PYTHON_CLIENT_MEM_FRACTION", "unchanged")
    with mock.patch.object(backend, "backend_name", return_value="jax"):
        if share is None:
            with pytest.raises(DeviceError, match="nvidia-smi"):
                limit_gpu_memory(1 << 30)
            return
        limit_gpu_memory((81559 << 20) // 10)
    assert backend.os.environ["XLA_PYTHON_CLIENT_MEM_FRACTION"] == share


def test_keras_is_imported_only_where_something_runs():
    code = (
        "import sys; from mouth_live.models.gpu import DetectorPass, FrameBatch, GpuFinder, GpuReader;"
        "print([m for m in ('keras', 'tensorflow', 'jax', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_faces_come_in_batches_of_few_sizes(face):
    for count, sizes in ((0, []), (1, [8]), (9, [64]), (256, [256]), (300, [256, 64])):
        assert [len(part) for part in warp.padded_faces([(0, face)] * count)] == sizes
