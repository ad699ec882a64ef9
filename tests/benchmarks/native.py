"""The C part of the fan-out benchmark, built when it is needed, where there is a compiler."""

import subprocess
from ctypes import CDLL, c_char_p, c_int, c_long, c_size_t, c_void_p
from pathlib import Path
from tempfile import TemporaryDirectory

SOURCE = Path(__file__).with_name("sockets.c")


def built() -> CDLL | None:
    """The functions of sockets.c; None without a compiler."""
    with TemporaryDirectory(prefix="mooring-bench-") as folder:
        library = Path(folder, "sockets.so")
        try:
            subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", library, SOURCE], check=True)
        except (OSError, subprocess.CalledProcessError):
            return None
        functions = CDLL(str(library))
    functions.fan.argtypes = [c_void_p, c_int, c_char_p, c_size_t]
    functions.take.argtypes = [c_int, c_long, c_int]
    functions.fan.restype = functions.take.restype = c_long
    return functions
