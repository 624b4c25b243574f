#ifndef JR_RUNTIME_INTERRUPT_H
#define JR_RUNTIME_INTERRUPT_H

/* Before a kernel that may take long is called from Python, with the GIL held: has SIGINT stop it. */
void jr_interrupt_watch(void);

#endif
