/* What kernels print goes where Python's print writes. This is not a Python function behind ctypes,
 * since Python may raise KeyboardInterrupt as it enters one, before its first line could catch it, and
 * ctypes has nobody to give that to. Here it is kept, with whatever else sys.stdout raises, until the call of
 * the kernel is over and can raise it. */
#include "runtime/compile.h"
#include "runtime/python/python.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { CHARACTER = 4 }; /* bytes of UTF-8, at most */

/* What was raised last, for the call that fails because of it. There are Pythons without a GIL. */
typedef struct Raised {
    PyObject *type, *value, *traceback;
} Raised;

static Raised raised;
static pthread_mutex_t raised_lock = PTHREAD_MUTEX_INITIALIZER;

/* The first bytes of a character that the thread's last piece of output ended in. */
static _Thread_local struct {
    char bytes[CHARACTER];
    size_t len;
} begun;

static void drop(PyObject *object) {
    if (object) jr_py.Py_DecRef(object);
}

/* Returns what was there. */
static Raised exchange_raised(Raised next) {
    pthread_mutex_lock(&raised_lock);
    Raised before = raised;
    raised = next;
    pthread_mutex_unlock(&raised_lock);
    return before;
}

static void keep_raised(void) {
    Raised now;
    jr_py.PyErr_Fetch(&now.type, &now.value, &now.traceback);
    now = exchange_raised(now);
    drop(now.type), drop(now.value), drop(now.traceback);
}

/* As a str, but for a character whose end is yet to come. */
static PyObject *decode(const char *bytes, size_t len) {
    ptrdiff_t used = (ptrdiff_t)len; /* CPython leaves it alone where all is ASCII */
    PyObject *text =
        jr_py.PyUnicode_DecodeUTF8Stateful(bytes, (ptrdiff_t)len, "replace", &used);
    if (!text) return NULL;
    begun.len = len - (size_t)used;
    memcpy(begun.bytes, bytes + used, begun.len);
    return text;
}

static PyObject *decode_after_begun(const char *bytes, size_t len) {
    size_t before = begun.len;
    if (!before) return decode(bytes, len);
    char *whole = malloc(before + len);
    if (!whole) return jr_py.PyErr_NoMemory();
    memcpy(whole, begun.bytes, before);
    memcpy(whole + before, bytes, len);
    PyObject *text = decode(whole, before + len);
    free(whole);
    return text;
}

static bool write_text(PyObject *text) {
    PyObject *to = jr_py.PySys_GetObject("stdout");
    if (!to || to == jr_py.none) return true; /* Python's print drops it as well */
    jr_py.Py_IncRef(to);
    PyObject *write = jr_py.PyObject_GetAttrString(to, "write");
    PyObject *result = write ? jr_py.PyObject_CallFunctionObjArgs(write, text, NULL) : NULL;
    drop(write), drop(to), drop(result);
    return result != NULL;
}

static bool write_out(void *user, const char *bytes, size_t len) {
    (void)user;
    int gil = jr_py.PyGILState_Ensure();
    PyObject *text = decode_after_begun(bytes, len);
    bool good = text && write_text(text);
    drop(text);
    if (!good) keep_raised();
    jr_py.PyGILState_Release(gil);
    return good;
}

JrStatus jr_python_output(JrContext *context) {
    jr_error_clear();
    if (!context) return jr_error_set(JR_ERR_ARGUMENT, "jr_python_output: NULL argument");
    if (!jr_py.PyGILState_Ensure)
        return jr_error_set(JR_ERR_NOT_FOUND, "jr_python_open was not called");
    context->write = write_out;
    return JR_OK;
}

void jr_python_raise(void) {
    Raised now = exchange_raised((Raised){0});
    if (now.type) jr_py.PyErr_Restore(now.type, now.value, now.traceback);
}
