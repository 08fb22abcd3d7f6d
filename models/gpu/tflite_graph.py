"""A ``.tflite`` file as a list of operators and their constants, read with LiteRT's own schema and interpreter."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from ..native_talk import native_talk_off
from ..weights_file import Weights


@dataclass(frozen=True, slots=True)
class Operator:
    """One step of a network.

    Attributes:
        name: the operator's in the file's schema, such as ``"CONV_2D"``.
        options: the schema's table of its options; None where it has none.
        inputs: numbers of the tensors that it takes; -1 for one left out.
        output: number of the tensor that it makes.
    """

    name: str
    options: Any
    inputs: Sequence[int]
    output: int


@dataclass(frozen=True, slots=True)
class Graph:
    """A network.

    Attributes:
        operators: what remains to be done at run time, in order.
        constants: the tensors that do not depend on the inputs, floats as float32, by number.
        inputs: numbers of the tensors that the caller gives.
        input_shapes: their shapes without the batch axis.
        outputs: numbers of the tensors that it returns.
        output_shapes: their shapes without the batch axis.
    """

    operators: Sequence[Operator]
    constants: Mapping[int, NDArray[Any]]
    inputs: Sequence[int]
    input_shapes: Sequence[tuple[int, ...]]
    outputs: Sequence[int]
    output_shapes: Sequence[tuple[int, ...]]


def read_graph(weights: Weights) -> Graph:
    """Read a network from a checked weights file.

    Raises:
        ModelError: it is not a network of one graph, whose operators make one tensor each.
    """
    try:
        model = _schema().ModelT.InitFromPackedBuf(weights.content, 0)
        (graph,) = model.subgraphs
        operators = [_operator(model, operator) for operator in graph.operators]
    except (TypeError, ValueError, AttributeError, IndexError) as error:
        raise ModelError(f"{weights.name}: not a network that can be read ({error})") from None
    inputs, outputs = [int(n) for n in graph.inputs], [int(n) for n in graph.outputs]
    made = {operator.output for operator in operators}
    known = set(range(len(graph.tensors))) - made - set(inputs)
    later: list[Operator] = []
    for operator in operators:
        if known.issuperset(n for n in operator.inputs if n >= 0):
            known.add(operator.output)
        else:
            later.append(operator)
    needed = {n for operator in later for n in operator.inputs if n in known}
    constants = _values(weights, sorted(needed))
    shapes = [[tuple(int(n) for n in graph.tensors[i].shape[1:]) for i in ends] for ends in (inputs, outputs)]
    return Graph(later, constants, inputs, shapes[0], outputs, shapes[1])


def _operator(model: Any, operator: Any) -> Operator:  # noqa: ANN401
    code = model.operatorCodes[operator.opcodeIndex]
    number = max(code.builtinCode, code.deprecatedBuiltinCode)  # old files have it in the second, new ones in both
    (output,) = operator.outputs
    return Operator(_names()[number], operator.builtinOptions, [int(n) for n in operator.inputs], int(output))


@cache
def _names() -> dict[int, str]:
    """Return the operators' names by their codes."""
    codes = cast("dict[str, object]", vars(_schema().BuiltinOperator))
    return {code: name for name, code in codes.items() if isinstance(code, int)}


def _schema() -> Any:  # noqa: ANN401
    from ai_edge_litert import schema_py_generated  # pyright: ignore[reportMissingTypeStubs]

    return cast("Any", schema_py_generated)


def _values(weights: Weights, numbers: Sequence[int]) -> dict[int, NDArray[Any]]:
    """Return the values of tensors that do not depend on the inputs, as LiteRT unpacks them: sparse or half floats."""
    from ai_edge_litert import interpreter as litert  # pyright: ignore[reportMissingTypeStubs]

    module: Any = litert
    with native_talk_off():
        interpreter = module.Interpreter(
            model_content=weights.content,
            experimental_op_resolver_type=module.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
            experimental_preserve_all_tensors=True,
        )
        interpreter.allocate_tensors()
        interpreter.invoke()  # what is sparse is unpacked as it runs; the inputs do not matter
    values = {n: np.asarray(interpreter.get_tensor(n)) for n in numbers}
    return {n: v.astype(np.float32) if v.dtype.kind == "f" else v for n, v in values.items()}
