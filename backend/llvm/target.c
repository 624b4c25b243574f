/* The CPU, the passes and the object file.
 *
 * The time that code generation takes grows with the square of a basic block, and some passes
 * are little better, so a module with a very large function gets the cheap ones. LLVM ends the
 * process when it is asked for a CPU that it does not know: names are checked here first. */
#include "backend/llvm/target.h"

#include <llvm-c/Error.h>
#include <llvm-c/Support.h>
#include <llvm-c/Target.h>
#include <llvm-c/Transforms/PassBuilder.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The host, found out once. LLVM's own strings, which live as long as the process. */
typedef struct Host {
    char *triple, *cpu, *features;
    LLVMTargetRef target;
    char why[TARGET_WHY];
} Host;

static Host host;
static pthread_once_t host_once = PTHREAD_ONCE_INIT;

static void take_message(char *why, const char *what, char *message) {
    snprintf(why, TARGET_WHY, "%s: %s", what, message ? message : "unknown error");
    if (message) LLVMDisposeMessage(message);
}

#if defined(__x86_64__)
#define OWN_STRENGTH_REDUCTION 1
#else
#define OWN_STRENGTH_REDUCTION 0
#endif

/* Options of LLVM's are for the whole process; these leave results as they are.
 *
 * Sums of floats may use vectors and still add in order: 1 / (k * k) is worth it for the division.
 * Blocks that go to the same place are searched for a common end, each compared with each, over and over; among
 * 150 of them, which LLVM allows, that takes half a minute in a function of 300 loops that are alike.
 *
 * On x86, loop strength reduction takes an eighth of all compile time. As an address may be a base and a
 * scaled counter there, it is among our own passes instead, where there is something to gain. The other passes find
 * nothing to do in kernels: the last one because processors take constants of 64 bits in their stride. A small
 * loop that lies across the end of a cache line can take half as long again, and does not at 2^5 bytes. */
static const char *const process_options[] = {
    "jitrun",
    "-force-ordered-reductions",
    "-tail-merge-threshold=16",
#if OWN_STRENGTH_REDUCTION
    "-disable-lsr",
    "-x86-disable-avoid-SFB",
    "-disable-x86-domain-reassignment",
    "-disable-constant-hoisting",
    "-x86-experimental-pref-innermost-loop-alignment=5",
#endif
};

static void set_options(void) {
    LLVMParseCommandLineOptions(sizeof process_options / sizeof *process_options,
                                process_options, NULL);
}

/* Gather instructions take as long as the loads they stand for, or longer: lanes that read a column each
 * (ir/jam/) are three times as fast without. LLVM takes this for a feature. */
#if defined(__x86_64__)
#define TUNING "+prefer-no-gather"
#else
#define TUNING ""
#endif

/* The processor's features and our own, or NULL: no memory. */
static char *host_features(void) {
    char *own = LLVMGetHostCPUFeatures();
    size_t size = strlen(own) + sizeof "," TUNING;
    char *all = malloc(size);
    if (all) snprintf(all, size, "%s%s" TUNING, own, own[0] ? "," : "");
    LLVMDisposeMessage(own);
    return all;
}

static void host_start(void) {
    set_options();
    if (LLVMInitializeNativeTarget() || LLVMInitializeNativeAsmPrinter()) {
        snprintf(host.why, TARGET_WHY,
                 "this LLVM cannot make code for the machine it runs on");
        return;
    }
    char *message = NULL;
    host.triple = LLVMGetDefaultTargetTriple();
    host.cpu = LLVMGetHostCPUName();
    host.features = host_features();
    if (!host.features) snprintf(host.why, TARGET_WHY, "out of memory");
    if (LLVMGetTargetFromTriple(host.triple, &host.target, &message))
        take_message(host.why, "LLVM has no target for this machine", message);
}

bool jr_target_start(char *why) {
    pthread_once(&host_once, host_start);
    if (host.why[0]) memcpy(why, host.why, TARGET_WHY);
    return !host.why[0];
}

/* ---- The CPU ---- */

/* Names that may be asked for besides the host's own. The host must be able to run the code.
 */
static const char *const portable_cpus[] = {
#if defined(__x86_64__)
    "x86-64",  "x86-64-v2", "x86-64-v3", "x86-64-v4",
#endif
    "generic",
};

/* The CPU and features to generate for, or false. */
static bool choose_cpu(const char *asked, const char **cpu, const char **features, char *why) {
    *cpu = host.cpu;
    *features = host.features;
    if (!asked || !strcmp(asked, "native") || !strcmp(asked, host.cpu)) return true;
    *features = TUNING;
    for (size_t i = 0; i < sizeof portable_cpus / sizeof *portable_cpus; i++) {
        *cpu = portable_cpus[i];
        if (!strcmp(asked, *cpu)) return true;
    }
    snprintf(why, TARGET_WHY, "unknown CPU '%.60s': use native, %s or generic", asked,
             portable_cpus[0]);
    return false;
}

/* ---- Sizes ---- */

/* Level 3 adds the unswitching and unrolling of loops, which double the time to compile and
 * have not made a kernel of bench/llvm faster. */
enum { DEFAULT_LEVEL = 2 };

/* In statements, of the largest function. */
enum {
    LARGE_FUNC = JR_GEN_LARGE, /* optimised a little, and turned into code quickly */
    HUGE_FUNC = 6000,          /* not optimised at all */
};

/* ---- The machine ---- */

static LLVMCodeGenOptLevel codegen_level(const Target *target) {
    if (target->large || target->level == 0) return LLVMCodeGenLevelNone;
    return target->level == 1 ? LLVMCodeGenLevelLess : LLVMCodeGenLevelAggressive;
}

/* Making a machine, and in it what LLVM knows of the CPU, is a twentieth of what compiling a kernel takes.
 * So those that nobody uses are kept. */
enum { KEPT_MACHINES = 8 };

static struct {
    pthread_mutex_t lock;
    unsigned count;
    Target targets[KEPT_MACHINES];
} kept = {.lock = PTHREAD_MUTEX_INITIALIZER};

static LLVMTargetMachineRef take_kept(const Target *like) {
    LLVMTargetMachineRef machine = NULL;
    pthread_mutex_lock(&kept.lock);
    for (unsigned i = 0; i < kept.count && !machine; i++) {
        const Target *t = &kept.targets[i];
        if (t->cpu != like->cpu || codegen_level(t) != codegen_level(like)) continue;
        machine = t->machine;
        kept.targets[i] = kept.targets[--kept.count];
    }
    pthread_mutex_unlock(&kept.lock);
    return machine;
}

static bool keep(const Target *target) {
    pthread_mutex_lock(&kept.lock);
    bool room = kept.count < KEPT_MACHINES;
    if (room) kept.targets[kept.count++] = *target;
    pthread_mutex_unlock(&kept.lock);
    return room;
}

bool jr_target_init(Target *target, uint32_t stmts, const JrEngineOptions *options,
                    char *why) {
    *target = (Target){0};
    if (!jr_target_start(why) ||
        !choose_cpu(options->cpu, &target->cpu, &target->features, why))
        return false;
    target->level = options->opt_level < 0 ? DEFAULT_LEVEL : options->opt_level;
    if (target->level > 3) target->level = 3;
    target->large = stmts > LARGE_FUNC;
    if (target->large && target->level > 1) target->level = 1;
    if (stmts > HUGE_FUNC) target->level = 0;
    /* The small code model with PIC: calls go through stubs that the linker adds where needed.
     */
    target->machine = take_kept(target);
    if (!target->machine)
        target->machine =
            LLVMCreateTargetMachine(host.target, host.triple, target->cpu, target->features,
                                    codegen_level(target), LLVMRelocPIC, LLVMCodeModelSmall);
    if (!target->machine)
        snprintf(why, TARGET_WHY, "LLVM could not set up the CPU '%s'", target->cpu);
    return target->machine != NULL;
}

bool jr_target_describe(const JrEngineOptions *options, JrText *out, char *why) {
    const char *cpu, *features;
    unsigned major, minor, patch;
    if (!jr_target_start(why) || !choose_cpu(options->cpu, &cpu, &features, why)) return false;
    LLVMGetVersion(&major, &minor, &patch);
    jr_text_printf(out, "LLVM %u.%u.%u %s %s %s\n", major, minor, patch, host.triple, cpu,
                   features);
    return true;
}

void jr_target_clear(Target *target) {
    if (target->machine && !keep(target)) LLVMDisposeTargetMachine(target->machine);
    target->machine = NULL;
}

void jr_target_mark(const Target *target, LLVMModuleRef module) {
    LLVMTargetDataRef layout = LLVMCreateTargetDataLayout(target->machine);
    LLVMSetModuleDataLayout(module, layout);
    LLVMDisposeTargetData(layout);
    LLVMSetTarget(module, host.triple);
}

/* ---- The passes ---- */

/* What default<O2> does to kernels, without what never changes one, in its order (decision 018). First
 * each function by itself, before it goes into its callers; then callees before callers; then
 * vectors. */
#define COMBINE "instcombine<no-verify-fixpoint>"
#define FIRST "simplifycfg,sroa<modify-cfg>,early-cse," COMBINE ",simplifycfg"
#define LOOPS                                                                     \
    "loop-mssa(licm<no-allowspeculation>,loop-rotate,licm,simple-loop-unswitch)," \
    "simplifycfg," COMBINE ",loop(loop-idiom,indvars,loop-deletion,loop-unroll-full)"
#define SIMPLIFY(GVN)                                                           \
    "early-cse<memssa>,jump-threading,simplifycfg,tailcallelim,reassociate,"    \
    "constraint-elimination," LOOPS "," GVN ",correlated-propagation,adce,dse," \
    "loop-mssa(licm),simplifycfg<hoist-common-insts;sink-common-insts>," COMBINE
#define VECTORS(FIRST, GVN, FORWARD)                                                     \
    FIRST                                                                                \
    "loop-vectorize," GVN FORWARD COMBINE                                                \
    ",simplifycfg<forward-switch-cond;switch-range-to-icmp;switch-to-lookup;"            \
    "no-keep-loops;hoist-common-insts;sink-common-insts>,slp-vectorizer,vector-combine," \
    "loop-mssa(licm),div-rem-pairs,simplifycfg<speculate-unpredictables>"
#define EACH "function<eager-inv>(" FIRST ")"
#define KERNELS_WITH(SIMPLE, VECTOR)                                        \
    EACH ",always-inline,"                                                  \
         "cgscc(inline,function-attrs<skip-non-recursive-function-attrs>,"  \
         "function<eager-inv;no-rerun>(" SIMPLE ")),deadargelim,globaldce," \
         "function<eager-inv>(" VECTOR "),globaldce"
/* What is computed in 64 bits of numbers of 8, and kept as one, is computed in 32 or fewer: a vector has more of these. */
#define NARROW "aggressive-instcombine,"
/* What an iteration loads that the one before has stored is kept from it. The pass looks at every innermost loop as the
 * vectoriser does, and finds something in few (carry.c). */
#define FORWARD "loop-load-elim,"
#define WIDE(NARROW, FORWARD) KERNELS_WITH(SIMPLIFY("gvn"), VECTORS(NARROW, "", FORWARD))
/* What the one before has loaded is kept where the loop has no vectors. With vectors of bytes it takes more to shift
 * them by one than to load them again. */
#define PACKED(NARROW, FORWARD) \
    KERNELS_WITH(SIMPLIFY("gvn<no-load-pre>"), VECTORS(NARROW, "gvn,", FORWARD))
#if OWN_STRENGTH_REDUCTION
#define ADDITIONS ",function(loop(loop-reduce))"
#else
#define ADDITIONS ""
#endif

#define STRIDED_OR_NOT(PASSES) \
    { PASSES, PASSES ADDITIONS }

/* By level, and whether strides are to become additions. */
static const char *const pipelines[][2] = {
    {"default<O0>,globaldce", "default<O0>,globaldce"},
    STRIDED_OR_NOT("default<O1>"),
    {NULL, NULL}, /* as below */
    {"default<O3>" ADDITIONS, "default<O3>" ADDITIONS},
};
/* By whether it is packed, whether it narrows, whether it carries, and strides. */
#define CARRIED_OR_NOT(KIND, NARROW) \
    { STRIDED_OR_NOT(KIND(NARROW, "")), STRIDED_OR_NOT(KIND(NARROW, FORWARD)) }
static const char *const kernels[2][2][2][2] = {
    {CARRIED_OR_NOT(WIDE, ""), CARRIED_OR_NOT(WIDE, NARROW)},
    {CARRIED_OR_NOT(PACKED, ""), CARRIED_OR_NOT(PACKED, NARROW)},
};

/* The code generator asks in front of each division whether it is one of 32 bits, where that is said to gain. Where
 * products are divided the answer is mostly no, and goes either way where the divisor is small. */
static void divide_at_once(const Target *target, LLVMModuleRef module) {
#if defined(__x86_64__)
    static const char how[] = ",-idivq-to-divl", name[] = "target-features";
    size_t size = strlen(target->features) + sizeof how;
    char *text = malloc(size);
    if (!text) return;
    snprintf(text, size, "%s%s", target->features, how);
    LLVMAttributeRef attr = LLVMCreateStringAttribute(
        LLVMGetModuleContext(module), name, sizeof name - 1, text, (unsigned)strlen(text));
    for (LLVMValueRef fn = LLVMGetFirstFunction(module); fn; fn = LLVMGetNextFunction(fn))
        if (!LLVMIsDeclaration(fn))
            LLVMAddAttributeAtIndex(fn, LLVMAttributeFunctionIndex, attr);
    free(text);
#else
    (void)target, (void)module;
#endif
}

static bool run_passes(const Target *target, LLVMModuleRef module, const char *passes,
                       char *why) {
    LLVMPassBuilderOptionsRef options = LLVMCreatePassBuilderOptions();
    LLVMPassBuilderOptionsSetLoopVectorization(options, target->level > 1);
    LLVMPassBuilderOptionsSetSLPVectorization(options, target->level > 1);
    LLVMPassBuilderOptionsSetLoopUnrolling(options, target->level > 2);
    LLVMErrorRef error = LLVMRunPasses(module, passes, target->machine, options);
    LLVMDisposePassBuilderOptions(options);
    if (!error) return true;
    char *message = LLVMGetErrorMessage(error);
    snprintf(why, TARGET_WHY, "LLVM's passes failed: %s", message);
    LLVMDisposeErrorMessage(message);
    return false;
}

/* Slow twins (slow.c) are left as they are: by all further passes, and by most of the code generator's. */
static void leave_slow(LLVMModuleRef module) {
    unsigned cold = LLVMGetEnumAttributeKindForName("cold", 4);
    unsigned optnone = LLVMGetEnumAttributeKindForName("optnone", 7);
    LLVMContextRef ctx = LLVMGetModuleContext(module);
    LLVMAttributeRef attr = LLVMCreateEnumAttribute(ctx, optnone, 0);
    for (LLVMValueRef f = LLVMGetFirstFunction(module); f; f = LLVMGetNextFunction(f))
        if (!LLVMIsDeclaration(f) &&
            LLVMGetEnumAttributeAtIndex(f, LLVMAttributeFunctionIndex, cold))
            LLVMAddAttributeAtIndex(f, LLVMAttributeFunctionIndex, attr);
}

bool jr_target_optimise(const Target *target, LLVMModuleRef module, TargetNeeds needs,
                        char *why) {
    bool ours = target->level == 2;
    const char *passes =
        ours ? kernels[needs.packed][needs.narrows][needs.carried][needs.strided]
             : pipelines[target->level][needs.strided];
    if (ours && needs.slow) {
        if (!run_passes(target, module, EACH, why)) return false;
        leave_slow(module);
        passes += sizeof EACH; /* and the comma */
    }
    if (!run_passes(target, module, passes, why)) return false;
    if (OWN_STRENGTH_REDUCTION && ours && !needs.strided) jr_target_reduce(module);
    if (needs.long_division) divide_at_once(target, module);
    return true;
}

LLVMMemoryBufferRef jr_target_emit(const Target *target, LLVMModuleRef module, bool assembly,
                                   char *why) {
    LLVMMemoryBufferRef buffer = NULL;
    char *message = NULL;
    LLVMCodeGenFileType kind = assembly ? LLVMAssemblyFile : LLVMObjectFile;
    if (!LLVMTargetMachineEmitToMemoryBuffer(target->machine, module, kind, &message, &buffer))
        return buffer;
    take_message(why, "LLVM could not generate code", message);
    return NULL;
}
