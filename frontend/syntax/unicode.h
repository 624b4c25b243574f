/* Names beyond ASCII, as Python has them: letters of any script, in the form NFKC. */
#ifndef JR_FRONTEND_UNICODE_H
#define JR_FRONTEND_UNICODE_H

#include "ir/base/arena.h"

/* The bytes of the character that `text`, valid UTF-8, begins with, if a name may have it; with
 * `first`, if a name may begin with it. 0 otherwise. */
size_t jr_unicode_name_char(const char *text, size_t rest, bool first);
/* The code point that `text`, valid UTF-8, begins with, and its bytes. */
size_t jr_unicode_next(const char *text, size_t rest, uint32_t *code);
/* The name that is meant: `ﬁ` and `fi` are one. */
const char *jr_unicode_name(JrArena *arena, const char *text, size_t len);

#endif
