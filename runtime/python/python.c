#include "runtime/python/python.h"

#include <dlfcn.h>

JrPython jr_py;

bool jr_python_find(size_t object_size) {
    JrPython found = {.object_size = object_size};
#define FIND(name, result, parameters)                  \
    *(void **)&found.name = dlsym(RTLD_DEFAULT, #name); \
    if (!found.name) return false;
    JR_PY_FUNCTIONS(FIND)
#undef FIND
    found.none = dlsym(RTLD_DEFAULT, "_Py_NoneStruct");
    found.true_ = dlsym(RTLD_DEFAULT, "_Py_TrueStruct");
    found.not_implemented = dlsym(RTLD_DEFAULT, "_Py_NotImplementedStruct");
    PyObject **interrupt = dlsym(RTLD_DEFAULT, "PyExc_KeyboardInterrupt");
    if (!found.none || !found.true_ || !found.not_implemented || !interrupt) return false;
    found.keyboard_interrupt = *interrupt;
    jr_py = found;
    return true;
}
