"""jitrun's names for CPython, so that a kernel file runs there as it stands: decorators do
nothing but convert arguments to annotated scalar types, types convert like NumPy's."""
import builtins
import functools
import inspect

import numpy as np

np.seterr(all="ignore")


class Type:
    """float64(x), float64[::1], and float64(float64) as a signature."""

    def __init__(self, convert):
        self.convert = convert

    def __call__(self, *args):
        if len(args) == 1 and not isinstance(args[0], (Type, type)):
            return self.convert(args[0])
        return self

    def __getitem__(self, index):
        return ArrayType()


class ArrayType(Type):
    def __init__(self):
        super().__init__(None)


NAMES = "int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64".split()
for name in NAMES:
    globals()[name] = Type(getattr(np, name))
boolean = Type(bool)
void = none = Type(None)
CONVERTED = {float: float, np.float64: np.float64, np.float32: np.float32}


def conversion(annotation):
    if isinstance(annotation, Type):
        return annotation.convert
    return CONVERTED.get(annotation) if isinstance(annotation, type) else None


def wrap(function):
    signature = inspect.signature(function)
    wanted = {p.name: conversion(p.annotation) for p in signature.parameters.values()}
    if not any(wanted.values()):
        return function

    @functools.wraps(function)
    def converted(*args, **kwargs):
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        for name, value in bound.arguments.items():
            if wanted[name]:
                bound.arguments[name] = wanted[name](value)
        return function(*bound.args, **bound.kwargs)

    return converted


def njit(*args, **options):
    if len(args) == 1 and inspect.isfunction(args[0]):
        return wrap(args[0])
    return wrap


def prange(*args, unchecked=False):
    return builtins.range(*args)


jit = njit
