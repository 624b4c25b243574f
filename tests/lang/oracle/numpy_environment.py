"""The environment in which NumPy is the oracle: it promotes by NEP 50, as NumPy 2 does, and uses
libm's functions: with AVX-512 it has its own, which differ from these in the last bit."""
NUMPY_ENVIRONMENT = {
    "NPY_PROMOTION_STATE": "weak",
    "NPY_DISABLE_CPU_FEATURES": "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL",
}
