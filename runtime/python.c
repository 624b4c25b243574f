#include "runtime/python.h"

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
    if (!found.none || !found.true_) return false;
    jr_py = found;
    return true;
}
