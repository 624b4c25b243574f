#include "runtime/python/python.h"

#include <dlfcn.h>

JrPython jr_py;

/* Whether ints lie like this: tried on some of either sign and of every size in question. */
static bool are_ints(JrPyInts ints) {
    static const int64_t values[] = {0,   1,   7,      -1,         -7,
                                     256, 257, -65536, 0x3fffffff, -0x3fffffff};
    static const int64_t large[] = {0x40000000, -0x40000000, INT64_MAX, INT64_MIN};
    bool good = true;
    int64_t read;
    jr_py.ints = ints;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        PyObject *object = jr_py.PyLong_FromLongLong(values[i]);
        good = good && object && jr_py_small_int(object, &read) && read == values[i];
        if (object) jr_py.Py_DecRef(object);
    }
    for (size_t i = 0; i < sizeof large / sizeof *large; i++) {
        PyObject *object = jr_py.PyLong_FromLongLong(large[i]);
        good = good && object && !jr_py_small_int(object, &read);
        if (object) jr_py.Py_DecRef(object);
    }
    return good;
}

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
    if (!are_ints(INTS_TAGGED) && !are_ints(INTS_SIZED)) jr_py.ints = INTS_UNKNOWN;
    return true;
}
