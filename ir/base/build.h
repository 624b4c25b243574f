/* Which build of jitrun this is. */
#ifndef JR_BASE_BUILD_H
#define JR_BASE_BUILD_H

/* The build ID that the linker gave the library or plug-in that this is part of, in hexadecimal: another one
 * for any other code. "" if it has none. */
enum { JR_BUILD_ID = 129 };
const char *jr_build_id(char id[JR_BUILD_ID]);

#endif
