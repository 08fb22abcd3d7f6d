"""What a DLPack capsule says of the array in it: https://dmlc.github.io/dlpack/latest/c_api.html."""

import ctypes

ON_HOST = 1  # the number of the CPU in ``__dlpack_device__``
_NAME = b"dltensor"
_DATA, _BYTE_OFFSET = 0, 5  # numbers of these fields of the struct DLTensor, in words of 8 bytes


def address(capsule: object) -> int:
    """Return where the data of a capsule begin, in bytes.

    Raises:
        ValueError: it was taken before.
    """
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.argtypes, pointer.restype = [ctypes.py_object, ctypes.c_char_p], ctypes.POINTER(ctypes.c_uint64)
    words = pointer(capsule, _NAME)
    return words[_DATA] + words[_BYTE_OFFSET]
