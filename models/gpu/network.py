"""A ``.tflite`` network on the GPU: the file's own operators in ``keras.ops``, for batches of any size."""

import numpy as np

from ..errors import ModelError
from ..weights_file import Weights
from .backend import Tensor, to_device
from .operators import KERNELS_TURNED, OPERATORS, UnknownOptionError, turned
from .tflite_graph import Operator, read_graph


class GpuNetwork:
    """A network as a function of tensors, to be called inside a compiled function.

    Attributes:
        input_shapes: the shape of each input without its batch axis.
        output_shapes: that of each output.
    """

    def __init__(self, weights: Weights) -> None:
        """Read the network and put its constants on the GPU.

        Args:
            weights: from :func:`mouth_live.models.weights_file.load_weights`.

        Raises:
            ModelError: the file has an operator that is not known here.
        """
        self._name = weights.name
        self._graph = read_graph(weights)
        self.input_shapes, self.output_shapes = self._graph.input_shapes, self._graph.output_shapes
        unknown = sorted({operator.name for operator in self._graph.operators} - OPERATORS.keys())
        if unknown:
            raise ModelError(f"{weights.name}: operators that do not run on the GPU: {', '.join(unknown)}; use the CPU")
        kernels = {operator.inputs[1] for operator in self._graph.operators if operator.name in KERNELS_TURNED}
        # Whole numbers are shapes and widths, which must be known when the function is compiled.
        self._constants = {
            number: to_device(turned(value) if number in kernels else value) if value.dtype == np.float32 else value
            for number, value in self._graph.constants.items()
        }

    def __call__(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Return the outputs, float32 with the batch on axis 0, for inputs of one length.

        Raises:
            ModelError: an operator has options that are not known here.
        """
        values = dict(self._constants) | dict(zip(self._graph.inputs, inputs, strict=True))
        for operator in self._graph.operators:
            values[operator.output] = self._run(operator, values)
        return tuple(values[number] for number in self._graph.outputs)

    def _run(self, operator: Operator, values: dict[int, Tensor]) -> Tensor:
        given = (values[n] for n in operator.inputs if n >= 0)
        try:
            return OPERATORS[operator.name](operator.options, *given)
        except UnknownOptionError as error:
            raise ModelError(
                f"{self._name}: {operator.name} with {error} does not run on the GPU; use the CPU"
            ) from None
