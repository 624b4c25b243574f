/* What a context is told of its work: one line for each source checked, each piece of code made,
 * and each choice that somebody may wonder about. */
#include "runtime/cache.h"
#include "runtime/compile.h"
#include "runtime/fork.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void jr_log(const JrContext *context, const char *format, ...) {
    char line[512];
    if (!context->log) return;
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    int holds = jr_fork_pause(); /* who forks may hold what the program's function waits for */
    context->log(context->log_user, line);
    jr_fork_resume(holds);
}

static const char *plural(uint32_t n) {
    return n == 1 ? "" : "s";
}

void jr_log_checked(const JrModule *module) {
    const JrTimes *t = &module->times;
    const JrDiags *diags = &module->diags;
    double ms = 1e3 * (t->parse + t->infer + t->lower + t->passes);
    uint32_t n = module->fe ? module->fe->funcs.len - 1 : 0;
    if (diags->errors)
        jr_log(module->context, "%s: %u error%s, %u warning%s", module->source.name,
               diags->errors, plural(diags->errors), diags->warnings, plural(diags->warnings));
    else
        jr_log(module->context, "%s: %u function%s checked in %.3f ms, %u warning%s",
               module->source.name, n, plural(n), ms, diags->warnings,
               plural(diags->warnings));
}

void jr_log_built(const JrModule *module, const JrEngine *engine, const JrEngineTimes *times,
                  bool once) {
    const char *asked = module->options.engine;
    bool is_auto = !asked || strcmp(asked, "auto") == 0;
    uint32_t n = engine->selective ? 1 : module->fe->specs.len;
    if (is_auto && !once && strcmp(engine->name, "llvm") != 0)
        jr_log(module->context, "%s: %s instead of llvm, which is not available: %s",
               module->source.name, engine->name, jr_engine_no_llvm());
    jr_log(module->context, "%s: %u function%s %s for %s%s in %.3f ms, linked in %.3f ms",
           module->source.name, n, plural(n), times->found ? "found in the cache" : "made",
           engine->name, once ? ", to run the body once," : "",
           1e3 * (times->optimise + times->generate), 1e3 * times->link);
    if (module->cache && module->cache->problem[0])
        jr_log(module->context, "%s: the code is not kept in %s: %s", module->source.name,
               module->cache->folder, module->cache->problem);
}
