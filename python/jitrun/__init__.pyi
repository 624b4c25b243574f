# The package's names for type checkers; tests/python/test_typing.py holds them against the package.
from typing import (
    Any, Callable, Dict, Generic, List, Literal, Mapping, NamedTuple, Optional, Sequence, TextIO, Tuple as _Tuple, TypeVar,
    Union, overload
)  # fmt: skip

from typing_extensions import ParamSpec

from . import timeit as timeit, types as types

_P = ParamSpec("_P")
_R = TypeVar("_R", covariant=True)
_F = TypeVar("_F", bound=Callable[..., Any])
_OneSignature = Union[str, types.Signature, _Tuple[Any, ...]]
_Signatures = Union[_OneSignature, List[_OneSignature]]
_Engine = Literal["interp", "tcc", "llvm"]

__version__: str
__all__: List[str]

class JitrunError(Exception): ...

class TypingError(JitrunError):
    diagnostics: Sequence[Any]
    def __init__(self, message: str, diagnostics: Sequence[Any] = ...) -> None: ...

class SourceError(JitrunError): ...
class EngineError(JitrunError): ...

class RaceError(RuntimeError):
    diagnostics: Sequence[Any]
    def __init__(self, message: str, diagnostics: Sequence[Any] = ...) -> None: ...

class JitrunWarning(UserWarning): ...

class CompileStats(NamedTuple):
    cache_path: Optional[str]
    cache_hits: Dict[_Tuple[types.Type, ...], int]
    cache_misses: Dict[_Tuple[types.Type, ...], int]

class Dispatcher(Generic[_P, _R]):
    __name__: str
    __qualname__: str
    def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> _R: ...
    def __get__(self, instance: Any, owner: Any = ...) -> Any: ...
    @property
    def py_func(self) -> Callable[_P, _R]: ...
    @property
    def signatures(self) -> List[_Tuple[types.Type, ...]]: ...
    @property
    def nopython_signatures(self) -> List[str]: ...
    def compile(self, signature: _OneSignature) -> None: ...
    def recompile(self) -> None: ...
    def bench(
        self,
        *args: Any,
        seconds: float = ...,
        rows: Optional[Sequence[str]] = ...,
        operations: float = ...,
        bytes: float = ...,
        against: Union[str, Sequence[str]] = ...,
        **kwargs: Any,
    ) -> Bench: ...
    @property
    def stats(self) -> CompileStats: ...
    def inspect_llvm(self, signature: Any = ...) -> Any: ...
    def inspect_asm(self, signature: Any = ...) -> Any: ...
    def inspect_ir(self, signature: Any = ...) -> Any: ...
    def inspect_types(self, file: Optional[TextIO] = ..., signature: Any = ...) -> None: ...
    def parallel_diagnostics(self, signature: Any = ..., level: int = ...) -> None: ...

@overload
def njit(signature: Callable[_P, _R]) -> Dispatcher[_P, _R]: ...
@overload
def njit(
    signature: Optional[_Signatures] = ...,
    *,
    parallel: bool = ...,
    fastmath: bool = ...,
    boundscheck: Optional[bool] = ...,
    error_model: Literal["numpy", "python"] = ...,
    engine: Optional[_Engine] = ...,
    check_races: bool = ...,
    nopython: bool = ...,
    nogil: bool = ...,
    cache: bool = ...,
    inline: str = ...,
    locals: Mapping[str, Any] = ...,
    forceobj: Literal[False] = ...,
    debug: bool = ...,
) -> Callable[[Callable[_P, _R]], Dispatcher[_P, _R]]: ...

jit = njit

class CFunc(Generic[_P, _R]):
    __name__: str
    def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> _R: ...
    @property
    def address(self) -> int: ...
    @property
    def ctypes(self) -> Any: ...
    @property
    def prototype(self) -> str: ...
    @property
    def native_name(self) -> str: ...
    @property
    def py_func(self) -> Callable[_P, _R]: ...
    def inspect_llvm(self) -> str: ...

def cfunc(
    signature: _OneSignature, **options: Any
) -> Callable[[Callable[_P, _R]], CFunc[_P, _R]]: ...

class Vectorized:
    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...
    def __getattr__(self, name: str) -> Any: ...
    @property
    def ufunc(self) -> Any: ...
    @property
    def py_func(self) -> Callable[..., Any]: ...

@overload
def vectorize(signatures: Callable[..., Any]) -> Vectorized: ...
@overload
def vectorize(
    signatures: Optional[_Signatures] = ...,
    *,
    identity: Any = ...,
    target: Literal["cpu", "parallel"] = ...,
    **options: Any,
) -> Callable[[Callable[..., Any]], Vectorized]: ...

class GUVectorized:
    layout: str
    py_func: Callable[..., Any]
    def __call__(self, *args: Any, out: Any = ...) -> Any: ...
    @property
    def signature(self) -> str: ...

@overload
def guvectorize(
    signatures: str, *, target: Literal["cpu", "parallel"] = ..., **options: Any
) -> Callable[[Callable[..., Any]], GUVectorized]: ...
@overload
def guvectorize(
    signatures: _Signatures, layout: str, *, target: Literal["cpu", "parallel"] = ..., **options: Any
) -> Callable[[Callable[..., Any]], GUVectorized]: ...

class Bench:
    rows: List[Dict[str, Any]]
    agrees: bool
    def __getitem__(self, name: str) -> Dict[str, Any]: ...
    def text(self) -> str: ...
    def json(self) -> str: ...
    def csv(self) -> str: ...
    def svg(self) -> str: ...
    def html(self) -> str: ...

def prange(*args: int, unchecked: bool = ...) -> range: ...
def engine_available(name: str) -> bool: ...
def get_num_threads() -> int: ...
def set_num_threads(n: int) -> None: ...
def typeof(value: Any) -> types.Type: ...
def Tuple(items: Sequence[Any]) -> types.TupleType: ...
def UniTuple(item: Any, count: int) -> types.TupleType: ...
def load_ipython_extension(shell: Any) -> None: ...

# Types of the language: called and indexed they make signatures and array types.
class _Void:
    def __call__(self, *params: Any) -> types.Signature: ...

class _Scalar(_Void):
    def __getitem__(self, axes: Any) -> _Void: ...

int8: _Scalar
int16: _Scalar
int32: _Scalar
int64: _Scalar
uint8: _Scalar
uint16: _Scalar
uint32: _Scalar
uint64: _Scalar
float32: _Scalar
float64: _Scalar
boolean: _Scalar
bool_: _Scalar
b1: _Scalar
byte: _Scalar
char: _Scalar
uchar: _Scalar
short: _Scalar
ushort: _Scalar
intc: _Scalar
uintc: _Scalar
int_: _Scalar
uint: _Scalar
long_: _Scalar
ulong: _Scalar
longlong: _Scalar
ulonglong: _Scalar
intp: _Scalar
uintp: _Scalar
ssize_t: _Scalar
size_t: _Scalar
float_: _Scalar
double: _Scalar
i1: _Scalar
i2: _Scalar
i4: _Scalar
i8: _Scalar
u1: _Scalar
u2: _Scalar
u4: _Scalar
u8: _Scalar
f4: _Scalar
f8: _Scalar
void: _Void
none: _Void
