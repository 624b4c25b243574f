/* Which engines there are. The interpreter always is; libtcc if it was built in; LLVM is a
 * plug-in beside the library, opened when it is first asked for, since loading libLLVM costs
 * more than most programs run. */
#include "runtime/compile.h"
#include "runtime/fork.h"
#include "runtime/rt/rt.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    pthread_once_t once;
    const JrEngine *engine;
    char why[4352]; /* it is not there, if engine is NULL */
} plugin = {.once = PTHREAD_ONCE_INIT};

/* The plug-in's path: $JITRUN_LLVM_PLUGIN, or beside the file this code was loaded from. */
static void plugin_path(char *path, size_t size) {
    const char *set = getenv("JITRUN_LLVM_PLUGIN");
    Dl_info info;
    const char *slash = NULL;
    if (set && *set)
        snprintf(path, size, "%s", set);
    else if (dladdr((void *)jr_engine_get, &info) && (slash = strrchr(info.dli_fname, '/')))
        snprintf(path, size, "%.*s/libjitrun-llvm.so", (int)(slash - info.dli_fname),
                 info.dli_fname);
    else
        snprintf(path, size, "libjitrun-llvm.so");
}

static void load_plugin(void) {
    char path[4096];
    plugin_path(path, sizeof path);
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        snprintf(plugin.why, sizeof plugin.why, "%s", dlerror());
        return;
    }
    JrEnginePlugin get;
    *(void **)&get = dlsym(handle, JR_ENGINE_PLUGIN_SYMBOL);
    plugin.engine = get ? get(JR_ENGINE_ABI, sizeof(JrEngine)) : NULL;
    if (!plugin.engine)
        snprintf(plugin.why, sizeof plugin.why, "%s was made for another version of jitrun",
                 path);
}

static const JrEngine *llvm_engine(void) {
    pthread_once(&plugin.once, load_plugin);
    return plugin.engine;
}

static const JrEngine *tcc_engine(void) {
#ifdef JITRUN_HAVE_TCC
    return jr_engine_tcc();
#else
    return NULL;
#endif
}

const JrEngine *jr_engine_get(const char *name) {
    const JrEngine *engine = NULL;
    if (!name || strcmp(name, "auto") == 0) {
        engine = llvm_engine();
        if (!engine) engine = tcc_engine();
        return engine ? engine : jr_engine_interp();
    }
    if (strcmp(name, "interp") == 0) return jr_engine_interp();
    if (strcmp(name, "llvm") == 0) {
        engine = llvm_engine();
        if (!engine)
            jr_error_set(JR_ERR_ENGINE, "the llvm engine is not available: %s", plugin.why);
    } else if (jr_engine_is_known(name)) {
        engine = tcc_engine();
        if (!engine) jr_error_set(JR_ERR_ENGINE, "the tcc engine is not part of this build");
    }
    return engine;
}

bool jr_engine_is_known(const char *name) {
    static const char *const names[] = {"auto", "interp", "tcc", "llvm"};
    if (!name) return true;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0) return true;
    jr_error_set(JR_ERR_NOT_FOUND, "unknown engine '%s': use auto, interp, tcc or llvm", name);
    return false;
}

const char *jr_engine_no_llvm(void) {
    return plugin.why;
}

JrEngineOptions jr_engine_options(const JrModule *module) {
    return (JrEngineOptions){.symbols = *jr_rt_symbols(),
                             .hosts = {module->hosts.entries, module->hosts.count},
                             .alloc = module->context->alloc,
                             .opt_level = module->options.opt_level - 1,
                             .fastmath = module->options.fastmath};
}

bool jr_engine_available(JrContext *context, const char *engine) {
    jr_error_clear();
    if (!context || !engine) {
        jr_error_set(JR_ERR_ARGUMENT, "jr_engine_available: NULL argument");
        return false;
    }
    jr_fork_hold(); /* it may be loaded now */
    bool there = jr_engine_get(engine) != NULL;
    jr_fork_release();
    return there;
}
