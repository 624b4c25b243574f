/* --check-races: what a run keeps track of, and what came of it (races.c). A thread has one while
 * it runs code of a module that was compiled with check_races. */
#ifndef JR_RUNTIME_RACES_H
#define JR_RUNTIME_RACES_H

#include "jitrun.h"
#include "runtime/rt/rt.h"

/* Begins a run on the thread, within one that may be going on, which *outer is to hold. False when
 * there is no memory. */
bool jr_races_begin(JrThread *thread, JrRaces **outer);
/* Ends it, however it went: what was found is the thread's `checked` from now on. True if there are
 * races. */
bool jr_races_end(JrThread *thread, JrRaces *outer);
void jr_races_free(JrRaces *races); /* NULL is fine */
/* NULL: nothing was checked. */
const JrRaceCheck *jr_races_result(const JrRaces *races);

/* "iterations i = 0 and i = 4 both write y[0]", at most `size` bytes. */
void jr_race_message(const JrRace *race, char *text, size_t size);
/* The access that errors point at: the earlier one, unless only the other writes. */
const JrRaceAccess *jr_race_main(const JrRace *race);

#endif
