"""@guvectorize: a function of small arrays, called for each of those in larger ones.

The layout "(m,n),(n)->(m)" says how many of the last axes of each argument the function takes; the axes
before them are broadcast, and a kernel made here loops over them:

    def loop(x0, x1, out0):
        for i0 in range(out0.shape[0]):
            for i1 in range(out0.shape[1]):
                function(x0[i0, i1], x1[i0, i1], out0[i0, i1])
"""

import functools
import inspect
import re

from . import types
from .dispatcher import Dispatcher, njit
from .source import KernelSource

_CORE = re.compile(r"\(([^()]*)\)")


def guvectorize(signatures, layout=None, *, target="cpu", **options):
    """Makes a function of small arrays one of arrays that hold many of them.

        @guvectorize(["void(float64[:], float64, float64[:])"], "(n),()->(n)")
        def shift(x, by, out):
            for i in range(len(x)):
                out[i] = x[i] + by

        shift(np.ones((3, 4)), np.arange(3.0))      # of shape (3, 4)

    The function writes its results to its last parameters, and returns nothing; an output of layout
    "()" is an array of one element. An input of layout "()" is a number. Inputs are cast to the first
    signature that takes them safely. Without signatures, `@guvectorize("(n)->(n)")`, the outputs are
    passed too. `target="parallel"` runs the outermost loop on threads; other options are njit's.
    """
    if target not in ("cpu", "parallel"):
        raise ValueError("target is 'cpu' or 'parallel', not %r" % (target,))
    if layout is None:
        signatures, layout = [], signatures
    if not isinstance(layout, str):
        raise TypeError("guvectorize takes signatures and a layout such as '(n),()->(n)'")
    signatures = signatures if isinstance(signatures, list) else [signatures]
    signatures = [types.as_signature(s) for s in signatures]

    def decorate(function):
        if not inspect.isfunction(function):
            raise TypeError("guvectorize decorates functions made with def, not %r" % (function,))
        _check(layout, signatures)
        kernel = njit(signatures or None, **options)(function)
        return GUVectorized(kernel, signatures, layout, target == "parallel")

    return decorate


def _parse(layout):
    """The inputs' axes and the outputs', each a tuple of names."""
    text = layout.replace(" ", "")
    parts = text.split("->")
    if len(parts) != 2 or not all(re.fullmatch(r"\([\w,]*\)(,\([\w,]*\))*", p) for p in parts):
        raise ValueError("%r is no layout: write such as '(m,n),(n)->(m)'" % layout)
    return [[tuple(filter(None, c.split(","))) for c in _CORE.findall(p)] for p in parts]


def _check(layout, signatures):
    """That all fits together, before anything is compiled."""
    inputs, outputs = _parse(layout)
    unknown = {a for core in outputs for a in core} - {a for core in inputs for a in core}
    if unknown:
        raise ValueError("%r: no input has the axis %r" % (layout, min(unknown)))
    axes = inputs + outputs
    for signature in signatures:
        if len(signature.params) != len(axes):
            raise TypeError(
                "the signature %s has %d parameters, but the layout %s has %d"
                % (signature, len(signature.params), layout, len(axes))
            )
        for i, (param, core) in enumerate(zip(signature.params, axes)):
            ndim = len(core) if i < len(inputs) else max(len(core), 1)
            if getattr(param, "ndim", 0) != ndim:
                raise TypeError(
                    "parameter %d of %s is %s, which the layout %s does not fit"
                    % (i + 1, signature, param, layout)
                )


class GUVectorized:
    """A function over the last axes of arrays; see `guvectorize`."""

    def __init__(self, kernel, signatures, layout, parallel):
        functools.update_wrapper(self, kernel, updated=())
        self.layout = layout
        self._inputs, self._outputs = _parse(layout)
        self._axes = self._inputs + self._outputs
        self._signatures = signatures
        self._parallel = parallel
        self._kernel = kernel
        self._loops = {}

    @property
    def py_func(self):
        """The Python function; of an unpickled one, one made of its source."""
        return getattr(self._kernel, "py_func", self._kernel)

    def __call__(self, *args, out=None):
        import numpy as np

        count = len(self._inputs)
        given = list(args[count:]) or ([] if out is None else [*out] if type(out) is tuple else [out])
        if len(args) < count or len(given) not in (0, len(self._outputs)):
            raise TypeError("%s() takes arguments as %s" % (self.__name__, self.layout))
        arrays = [np.asarray(a) for a in args[:count]]
        dtypes = self._dtypes(np, arrays, given)
        arrays = [a.astype(t, copy=False) for a, t in zip(arrays, dtypes)]
        sizes, around = self._shapes(np, arrays, given)
        results = [
            given[i] if given else np.empty(around + tuple(map(sizes.get, core)), dtypes[count + i])
            for i, core in enumerate(self._outputs)
        ]
        self._run(np, arrays, results, sizes, around)
        results = [a if given or a.ndim else a[()] for a in results]
        return results[0] if len(results) == 1 else tuple(results)

    def _dtypes(self, np, arrays, given):
        """Those of all arguments, by the first signature that takes the inputs."""
        if not self._signatures:
            if not given:
                raise TypeError("%s() has no signatures: pass its outputs too" % self.__name__)
            return [a.dtype for a in arrays + given]
        for signature in self._signatures:
            dtypes = [np.dtype(getattr(p, "dtype", p).name) for p in signature.params]
            if all(np.can_cast(a.dtype, t, "safe") for a, t in zip(arrays, dtypes)):
                return dtypes
        raise TypeError(
            "%s() takes %s, not (%s)"
            % (
                self.__name__,
                " or ".join(map(str, self._signatures)),
                ", ".join(str(a.dtype) for a in arrays),
            )
        )

    def _shapes(self, np, arrays, given):
        """The length of each axis of the layout, and the shape of those around them."""
        sizes, around = {}, []
        for i, (array, core) in enumerate(zip(arrays + given, self._axes)):
            if array.ndim < len(core):
                raise ValueError(
                    "%s: argument %d has %d dimensions, and the layout %s takes %d"
                    % (self.__name__, i + 1, array.ndim, self.layout, len(core))
                )
            split = array.ndim - len(core)
            around.append(array.shape[:split])
            for axis, size in zip(core, array.shape[split:]):
                if sizes.setdefault(axis, size) != size:
                    raise ValueError(
                        "%s: the axis %r of %s is %d in argument %d, and %d before"
                        % (self.__name__, axis, self.layout, size, i + 1, sizes[axis])
                    )
        shape = np.broadcast_shapes(*around[: len(arrays)])
        for i, passed in enumerate(around[len(arrays) :]):
            if passed != np.broadcast_shapes(shape, passed):
                raise ValueError(
                    "%s: output %d is too small for inputs that broadcast to %s"
                    % (self.__name__, i + 1, shape)
                )
            shape = passed
        return sizes, shape

    def _run(self, np, arrays, results, sizes, around):
        count = len(self._inputs)
        passed = []
        for i, (array, core) in enumerate(zip(arrays + results, self._axes)):
            inner = tuple(map(sizes.get, core))
            if i < count:
                array = np.broadcast_to(array, around + inner)
            if i >= count and not core:
                array = array[..., np.newaxis]
            passed.append(array if around else array[np.newaxis])
        self._loop(max(len(around), 1))(*passed)

    def _loop(self, ndim):
        """The kernel that loops over so many axes."""
        if ndim not in self._loops:
            names = ["x%d" % i for i in range(len(self._axes))]
            indices = ", ".join("i%d" % i for i in range(ndim))
            lines = ["def loop(%s):" % ", ".join(names)]
            for i in range(ndim):
                kind = "prange" if self._parallel and i == 0 else "range"
                head = "for i%d in %s(%s.shape[%d]):" % (i, kind, names[-1], i)
                lines.append("    " * (i + 1) + head)
            elements = ", ".join("%s[%s]" % (name, indices) for name in names)
            lines.append("    " * (ndim + 1) + "function(%s)" % elements)
            self._loops[ndim] = self._compiled("\n".join(lines) + "\n")
        return self._loops[ndim]

    def _compiled(self, text):
        from . import prange

        values = {"function": self._kernel, "prange": prange}
        if not isinstance(self._kernel, Dispatcher):  # JITRUN_DISABLE_JIT
            exec(text, values)
            return values["loop"]
        options = {"parallel": self._parallel, "cache": self._kernel.cache}
        return Dispatcher.of_source(KernelSource.of_text("loop", text, values), options)

    def __reduce__(self):
        if not isinstance(self._kernel, Dispatcher):  # JITRUN_DISABLE_JIT
            return self.__qualname__
        return GUVectorized, (self._kernel, self._signatures, self.layout, self._parallel)

    @property
    def signature(self):
        """The layout, as NumPy's ufuncs call it."""
        return self.layout

    def __repr__(self):
        return "<jitrun guvectorize %s %s>" % (self.__name__, self.layout)
