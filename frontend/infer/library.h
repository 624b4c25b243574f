/* NumPy's functions that are written in the language itself: frontend/numpy/.
 *
 * np.median is made of definitions of `median`, np.linalg.norm of `linalg_norm`, np.random.shuffle of `random_shuffle`. Behind `__` stand the
 * arguments that a definition is for, one letter each: 0 a number; 1, 2, ... an array of so many dimensions; a an
 * array; m a mask, an array of bool of one dimension; x a number or an array; t a tuple; d an element type; T True, and F False or nothing, which are known; n None or nothing (its
 * default is None then). Arguments beyond
 * are not looked at. A name may have several definitions, all in one file; the first that fits is called. A name
 * that begins with `_` is not NumPy's. A docstring is what docs/language.md says. */
#ifndef JR_FRONTEND_LIBRARY_H
#define JR_FRONTEND_LIBRARY_H

#include "frontend/infer/infer.h"

/* The text of one function. */
typedef struct FeDefinition {
    const char *text;
    size_t len;
    const char *letters; /* FeFunc.library */
} FeDefinition;

typedef struct FeNamed {
    const char *path; /* "np.linalg.norm" */
    JR_VEC(FeDefinition) definitions;
    FeFunc *first; /* of the definitions, FeFunc.other the next; NULL until they are parsed */
} FeNamed;

typedef struct FeLibrary {
    JR_VEC(FeNamed *) named; /* in the order of the text */
    JrTable paths, names;    /* FeNamed, by path and by what the text itself calls it */
} FeLibrary;

/* The function of this path, "np.median", or NULL. */
FeFunc *fe_library_find(FeInfer *in, const char *path);
/* What a name means in the library's own functions: one of them, or the module np; or NULL. */
const FeType *fe_library_name(FeInfer *in, const char *name);
/* The definition of a function of the library's own: own("_taken", "11"). Inference can use it. */
FeFunc *fe_library_own(FeInfer *in, const char *name, const char *letters);
/* Names of a module's functions, for suggestions; returns how many. */
uint32_t fe_library_members(FeInfer *in, const char *module, const char **names, uint32_t cap);
/* The definition for a call's arguments, which are inferred; NULL, with an error, if there is none.
 * Inference can use it. */
FeFunc *fe_library_choose(FeInfer *in, FeFunc *func, const AstExpr *call);

#endif
