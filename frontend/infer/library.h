/* NumPy's functions that are written in the language itself: numpy.src. */
#ifndef JR_FRONTEND_LIBRARY_H
#define JR_FRONTEND_LIBRARY_H

#include "frontend/infer/infer.h"

typedef struct FeLibrary {
    JR_VEC(FeFunc *) funcs; /* every definition, in the order of the text */
    JrTable paths;          /* "np.linalg.norm": the first definition, FeFunc.other the next */
    JrTable names;          /* what the text's own functions see: Entry */
} FeLibrary;

/* The function of this path, "np.median", or NULL. */
FeFunc *fe_library_find(FeInfer *in, const char *path);
/* The definition of a function of the library's own: own("_taken", "11"). Inference can use it. */
FeFunc *fe_library_own(FeInfer *in, const char *name, const char *ranks);
/* Names of a module's functions, for suggestions; returns how many. */
uint32_t fe_library_members(FeInfer *in, const char *module, const char **names, uint32_t cap);
/* The definition for a call's arguments, which are inferred; NULL, with an error, if there is none.
 * Inference can use it. */
FeFunc *fe_library_choose(FeInfer *in, FeFunc *func, const AstExpr *call);

#endif
