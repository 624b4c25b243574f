/* Where libtcc's `exit` goes: set with setjmp, under the lock, before libtcc is called. */
#ifndef JR_BACKEND_TCC_SHIM_H
#define JR_BACKEND_TCC_SHIM_H

#include <setjmp.h>

extern jmp_buf jr_tcc_gave_up;

#endif
