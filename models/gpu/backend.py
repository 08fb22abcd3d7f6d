"""The GPU as Keras offers it, on TensorFlow, JAX or PyTorch: compile functions, move arrays, limit memory, name errors.

The environment variable ``KERAS_BACKEND`` chooses the library. Everything here runs on a CPU too, for tests.
"""

import os
import subprocess
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import cache, partial, wraps
from typing import Any

import numpy as np
from numpy.typing import NDArray
from platformdirs import user_cache_path

from ..errors import DeviceError, OutOfDeviceMemoryError
from ..native_talk import import_quietly
from .dlpack import ON_HOST, address

Tensor = Any
"""A tensor of the library that Keras runs on."""

Function = Callable[..., Tensor]
"""A function of tensors or numpy arrays, compiled."""

_LIBRARIES = ("tensorflow", "jax", "jaxlib", "torch")
_ALIGNED = 64  # TensorFlow ends the process where memory begins at an address that this does not divide
_NO_MEMORY = ("RESOURCE_EXHAUSTED", "out of memory", "OOM when allocating", "can't allocate memory")
_AROUND = ("Graph execution error", "Detected at node", "File ", "[[")  # lines of TensorFlow's without a reason


def limit_gpu_memory(limit: int) -> None:
    """Limit the GPU memory that this process takes. To be called before anything runs on the GPU.

    Args:
        limit: in bytes.

    Raises:
        DeviceError: the GPU is in use already, or its size cannot be told.
    """
    name = backend_name()
    if name == "jax":  # read when JAX opens the GPU
        os.environ["XLA_PYTHON_CLIENT_MEM_FRACTION"] = f"{_share(limit, _total_memory()):.4f}"
    elif name == "torch":
        torch = import_quietly("torch")
        if torch.cuda.is_available():
            total = torch.cuda.get_device_properties(0).total_memory
            torch.cuda.set_per_process_memory_fraction(_share(limit, total))
    else:
        tensorflow = import_quietly("tensorflow")
        configuration = tensorflow.config.LogicalDeviceConfiguration(memory_limit=max(1, limit >> 20))
        try:
            for gpu in tensorflow.config.list_physical_devices("GPU"):
                tensorflow.config.experimental.set_memory_growth(gpu, False)
                tensorflow.config.set_logical_device_configuration(gpu, [configuration])
        except RuntimeError:
            raise DeviceError("the GPU's memory can be limited only before it is used") from None


def _share(limit: int, total: int) -> float:
    return min(1.0, limit / total)


def _total_memory() -> int:
    """Return the first GPU's memory in bytes, without opening it."""
    command = ["nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout
        return int(answer.split()[0]) << 20
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        raise DeviceError("nvidia-smi does not tell the GPU's memory; leave out the limit") from None


def backend_name() -> str:
    """Return the library that Keras runs on: ``"tensorflow"``, ``"jax"`` or ``"torch"``.

    Raises:
        DeviceError: it is another one.
    """
    name = str(keras().backend.backend())
    if name not in ("tensorflow", "jax", "torch"):
        raise DeviceError(f"Keras runs on {name}, expected TensorFlow, JAX or PyTorch; set KERAS_BACKEND")
    return name


def sees_gpu() -> bool:
    """Return whether Keras's library has a GPU to run on."""
    name = str(keras().backend.backend())
    library = import_quietly(name)
    if name == "tensorflow":
        return bool(library.config.list_physical_devices("GPU"))
    if name == "jax":
        return library.default_backend() == "gpu"
    return name == "torch" and library.cuda.is_available()


@cache
def keras() -> Any:  # noqa: ANN401
    """Import Keras, and prepare its library: little memory at the start, full precision, no search for the best kernel.

    NVIDIA's GPUs keep ten bits of each number unless told otherwise (TF32), and a detection depends on less than that.
    """
    os.environ.setdefault("TF_CUDNN_USE_AUTOTUNE", "0")  # it would try every kernel for every new shape
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    if "xla_gpu_autotune_level" not in (flags := os.environ.get("XLA_FLAGS", "")):
        os.environ["XLA_FLAGS"] = f"{flags} --xla_gpu_autotune_level=0".strip()
    module = import_quietly("keras")
    name = module.backend.backend()
    library = import_quietly(name)
    if name == "tensorflow":
        library.config.experimental.enable_tensor_float_32_execution(False)
    elif name == "jax":
        folder = user_cache_path("mouth-live") / "xla"
        library.config.update("jax_default_matmul_precision", "highest")
        library.config.update("jax_compilation_cache_dir", str(folder))
        library.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)
    elif name == "torch":
        library.backends.cudnn.allow_tf32 = library.backends.cuda.matmul.allow_tf32 = False
    return module


def ops() -> Any:  # noqa: ANN401
    """Return ``keras.ops``."""
    return keras().ops


def compiled(function: Callable[..., Tensor]) -> Function:
    """Compile a function of tensors when it is first called, once for each set of their shapes.

    JAX compiles by XLA. TensorFlow makes a graph of it, without XLA, which would take seconds for each shape. PyTorch
    runs it as it is.

    Args:
        function: takes tensors by position and returns tensors, or tuples of them. It uses ``keras.ops`` and may read
            tensors from around it. What it takes by name is compiled in: numbers, words, truth values.
    """

    @cache
    def ready(**fixed: object) -> Function:
        """Return it compiled with these arguments."""
        with_fixed = partial(function, **fixed)
        if backend_name() == "tensorflow":
            return _in_tensorflow(with_fixed)
        return import_quietly("jax").jit(with_fixed) if backend_name() == "jax" else _in_torch(with_fixed)

    @wraps(function)
    def call(*tensors: Tensor, **fixed: object) -> Tensor:
        """Run it; the library's errors become ours."""
        with device_errors():
            return ready(**fixed)(*tensors)

    return call


def _in_tensorflow(function: Callable[..., Tensor]) -> Function:
    """Return it as a graph for each set of shapes. TensorFlow's own choice among them warns if there are many."""
    tensorflow = import_quietly("tensorflow")
    graph = tensorflow.function(function, autograph=False)
    of_shapes: dict[tuple[Any, ...], Function] = {}

    def run(*arguments: Tensor) -> Tensor:
        """Run the graph of these shapes."""
        tensors = [tensorflow.convert_to_tensor(argument) for argument in arguments]
        key = tuple((tuple(tensor.shape), tensor.dtype) for tensor in tensors)
        if key not in of_shapes:
            of_shapes[key] = graph.get_concrete_function(*tensors)
        return of_shapes[key](*tensors)

    return run


def _in_torch(function: Callable[..., Tensor]) -> Function:
    """Return it for PyTorch, which does not compile here; nothing is learnt."""

    def run(*arguments: Tensor) -> Tensor:
        """Run it as it is."""
        with import_quietly("torch").inference_mode():
            return function(*(to_device(argument) for argument in arguments))

    return run


def to_device(array: Tensor) -> Tensor:
    """Return an array as a tensor on the GPU: from the host, or from another library's GPU tensor without a copy."""
    if isinstance(array, np.ndarray) or not hasattr(array, "__dlpack__") or keras().ops.is_tensor(array):
        with device_errors():
            if backend_name() == "jax" and isinstance(array, np.ndarray):  # Keras would compile a copy for each shape
                return import_quietly("jax").device_put(array)
            return ops().convert_to_tensor(array)
    library = import_quietly(backend_name())
    with device_errors():
        if backend_name() == "tensorflow":
            return _to_tensorflow(array)
        return library.dlpack.from_dlpack(array) if backend_name() == "jax" else library.from_dlpack(array)


def _to_tensorflow(array: Tensor) -> Tensor:
    """Return an array of another library as TensorFlow's.

    Raises:
        DeviceError: it lies on the GPU at an address that TensorFlow cannot use.
    """
    capsule = array.__dlpack__()
    if address(capsule) % _ALIGNED == 0:
        return import_quietly("tensorflow").experimental.dlpack.from_dlpack(capsule)
    if array.__dlpack_device__()[0] != ON_HOST:
        raise DeviceError(f"TensorFlow takes pictures only from addresses that {_ALIGNED} divides; copy them before")
    return ops().convert_to_tensor(np.from_dlpack(array))


def to_host(tensor: Tensor) -> NDArray[Any]:
    """Return a tensor's values, when they are ready."""
    with device_errors():
        if backend_name() == "torch":  # what Keras does for it is deprecated in NumPy 2
            return tensor.detach().cpu().numpy()
        return np.asarray(ops().convert_to_numpy(tensor))


@contextmanager
def device_errors() -> Generator[None]:
    """Raise errors of Keras's library as ours.

    Raises:
        OutOfDeviceMemoryError: the GPU has too little memory for what runs inside.
        DeviceError: the GPU failed otherwise.
    """
    try:
        yield
    except Exception as error:
        kind = type(error)
        if kind.__module__.split(".")[0] not in _LIBRARIES and kind is not RuntimeError:
            raise
        message = str(error) or kind.__name__
        if kind.__name__ in ("ResourceExhaustedError", "OutOfMemoryError") or any(s in message for s in _NO_MEMORY):
            raise OutOfDeviceMemoryError(
                "the GPU has too little free memory; use --device cpu or give it less to do at a time"
            ) from error
        lines = [line.strip() for line in message.splitlines() if not line.strip().startswith(_AROUND)]
        reason = next(filter(None, lines), kind.__name__)
        raise DeviceError(f"the GPU failed ({reason}); use --device cpu") from error
