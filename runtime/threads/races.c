/* The race check: what ir/watch.c puts into a prange loop ends up here.
 *
 * The iterations of the loop run one after the other, and each access of an array's element is
 * looked up in the shadow of memory (shadow.h), which knows who was there before. Two iterations at
 * one element, one of them writing, are a race: the loop's result would depend on which of
 * them came first. Where both accumulate it with one operator it is none, since the loop is
 * then made right.
 *
 * A race is noted once for each pair of places in the program. Texts are copied, since the code
 * may be gone before its report is read. */
#include "runtime/threads/races.h"

#include "ir/par/parallel.h"
#include "runtime/rt/array.h"
#include "runtime/threads/shadow.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_RACES = 20,
    DEFAULT_MEBIBYTES = 1024,
    ELEMENT_CHARS = 40 + 22 * IR_MAX_DIMS,
};

/* The array that the source names at a place. */
typedef struct Named {
    int64_t loop; /* the one it was seen in last, counted from 1 */
    bool varies;  /* ... and it was not the same in all of it */
    IrType type;
    void *data;
    int64_t dims[2 * IR_MAX_DIMS]; /* and strides */
} Named;

/* A place of the program; its texts are in one block of memory. */
typedef struct Place {
    char *text; /* NULL: not seen yet */
    const char *file, *func, *name;
    size_t name_len; /* until `text` has a copy, there may be no NUL behind the name */
    int32_t line, col, end_col;
    Named named;
} Place;

typedef struct Found {
    uint32_t first, second; /* places */
    Place loop;
    char first_element[ELEMENT_CHARS], second_element[ELEMENT_CHARS];
} Found;

struct JrRaces {
    const JrAlloc *alloc;  /* the thread's */
    const JrAlloc *memory; /* the context's: for the shadow */
    uint32_t depth;        /* of prange loops that are running */
    int64_t iteration;     /* of the outermost */
    Place loop;            /* that one, with its counter for a name; borrowed texts */
    JrShadow *shadow;      /* of this one run of it */
    Place *places;
    JrShadowPlace *kinds;
    uint32_t place_count;
    Found found[MOST_RACES];
    JrRace races[MOST_RACES];
    JrRaceCheck result;
};

/* ---- A run ---- */

bool jr_races_begin(JrThread *thread, JrRaces **outer) {
    JrRaces *races = jr_alloc_new(thread->alloc, sizeof *races);
    if (!races) return false;
    memset(races, 0, sizeof *races);
    races->alloc = thread->alloc;
    races->memory = jr_heap_alloc(thread->heap);
    races->result.races = races->races;
    *outer = thread->races;
    thread->races = races;
    return true;
}

bool jr_races_end(JrThread *thread, JrRaces *outer) {
    JrRaces *races = thread->races;
    thread->races = outer;
    jr_shadow_free(races->shadow);
    races->shadow = NULL;
    jr_races_free(thread->checked);
    thread->checked = races;
    return races->result.race_count != 0;
}

void jr_races_free(JrRaces *races) {
    if (!races) return;
    const JrAlloc *alloc = races->alloc;
    jr_shadow_free(races->shadow);
    for (uint32_t i = 0; i < races->place_count; i++)
        jr_alloc_free(alloc, races->places[i].text);
    for (size_t i = 0; i < races->result.race_count; i++)
        jr_alloc_free(alloc, races->found[i].loop.text);
    jr_alloc_free(alloc, races->places);
    jr_alloc_free(alloc, races->kinds);
    jr_alloc_free(alloc, races);
}

const JrRaceCheck *jr_races_result(const JrRaces *races) {
    return races ? &races->result : NULL;
}

/* ---- Memory ---- */

static size_t most_memory(void) {
    const char *set = getenv("JITRUN_RACE_MEMORY");
    char *end;
    long long mebibytes = set ? strtoll(set, &end, 10) : 0;
    if (!set || end == set || *end || mebibytes < 1 || mebibytes > INT32_MAX)
        mebibytes = DEFAULT_MEBIBYTES;
    return (size_t)mebibytes << 20;
}

static int32_t no_memory(JrRt *rt, const JrWhere *where, const JrRaces *races) {
    size_t bytes = races->shadow ? jr_shadow_bytes(races->shadow) : 0;
    return jr_raise(rt, where, EXC_MEMORY,
                    "the race check has no memory left: its record of the elements that were "
                    "touched takes %zu MiB, of at most %zu (JITRUN_RACE_MEMORY)",
                    bytes >> 20, most_memory() >> 20);
}

/* ---- Places ---- */

/* Copies the texts that it points to. */
static bool keep_texts(const JrAlloc *alloc, Place *place) {
    size_t file = strlen(place->file), func = strlen(place->func), name = place->name_len;
    char *text = place->text = jr_alloc_new(alloc, file + func + name + 3);
    if (!text) return false;
    place->file = memcpy(text, place->file, file + 1);
    place->func = memcpy(text + file + 1, place->func, func + 1);
    text += file + func + 2;
    if (name) memcpy(text, place->name, name);
    text[name] = '\0';
    place->name = text;
    return true;
}

static Place make_place(const JrWhere *where, const JrSlot *name) {
    return (Place){.file = where && where->file ? where->file : "?",
                   .func = where && where->func ? where->func : "?",
                   .name = name[0].cp,
                   .name_len = (size_t)name[1].u,
                   .line = where ? where->line : 0,
                   .col = where ? where->col : 0};
}

static bool need_places(JrRaces *races, uint32_t count) {
    if (count <= races->place_count) return true;
    uint32_t room = 64;
    while (room < count)
        room *= 2;
    Place *places = jr_alloc_resize(races->alloc, races->places, room * sizeof *places);
    if (places) races->places = places;
    JrShadowPlace *kinds =
        places ? jr_alloc_resize(races->alloc, races->kinds, room * sizeof *kinds) : NULL;
    if (!kinds) return false;
    races->kinds = kinds;
    memset(places + races->place_count, 0, (room - races->place_count) * sizeof *places);
    races->place_count = room;
    return true;
}

/* The operands that race_touch and race_touch_all begin with. */
typedef struct Told {
    IrType type, named_type;
    const JrArray *array, *named;
    const JrSlot *name;
    uint32_t place;
    int64_t info;
} Told;

static Told told_by(const JrSlot *args) {
    return (Told){.type = ir_type_of_bits((uint32_t)args[0].u),
                  .array = args[1].cp,
                  .named_type = ir_type_of_bits((uint32_t)args[2].u),
                  .named = args[3].cp,
                  .name = args + 4,
                  .place = (uint32_t)args[6].i,
                  .info = args[7].i};
}

/* What is called y here may be one array in all iterations, or another in each. */
static void see_named(const JrRaces *races, Named *named, const Told *told) {
    size_t used = 2 * told->named_type.ndim * sizeof(int64_t);
    bool again = named->loop == races->result.loops;
    if (again && named->data == told->named->data &&
        memcmp(named->dims, told->named->dims, used) == 0)
        return;
    named->varies = again;
    named->loop = races->result.loops;
    named->type = told->named_type;
    named->data = told->named->data;
    memcpy(named->dims, told->named->dims, used);
}

static bool know_place(JrRaces *races, const JrWhere *where, const Told *told) {
    if (!need_places(races, told->place + 1)) return false;
    Place *place = &races->places[told->place];
    if (place->text) return see_named(races, &place->named, told), true;
    *place = make_place(where, told->name);
    place->end_col = (int32_t)(told->info >> WATCHED_BITS);
    races->kinds[told->place] =
        (JrShadowPlace){.size = (uint8_t)ir_scalar_size((IrScalar)told->type.scalar),
                        .kind = (uint32_t)told->info & ((1u << WATCHED_BITS) - 1)};
    see_named(races, &place->named, told);
    return keep_texts(races->alloc, place);
}

/* ---- Races ---- */

/* The index of the element at an address: false if it is no element of the array, or of several.
 */
static bool index_of(const Named *array, uintptr_t at, int64_t *index) {
    IrType type = array->type;
    const int64_t *dims = array->dims, *strides = dims + type.ndim;
    int64_t size = ir_scalar_size((IrScalar)type.scalar);
    int64_t offset = (int64_t)(at - (uintptr_t)array->data);
    bool done[IR_MAX_DIMS] = {false};
    if (offset % size) return false;
    offset /= size;
    for (unsigned i = 0; i < type.ndim; i++)
        if (strides[i] < 0) offset -= (dims[i] - 1) * strides[i];
    for (unsigned round = 0; round < type.ndim; round++) {
        unsigned next = IR_MAX_DIMS; /* the axis with the longest stride */
        for (unsigned i = 0; i < type.ndim; i++)
            if (!done[i] && (next == IR_MAX_DIMS || llabs(strides[i]) > llabs(strides[next])))
                next = i;
        done[next] = true;
        int64_t stride = llabs(strides[next]);
        if (dims[next] != 1 && !stride) return false;
        int64_t steps = dims[next] == 1 ? 0 : offset / stride;
        if (steps < 0 || steps >= dims[next]) return false;
        index[next] = strides[next] < 0 ? dims[next] - 1 - steps : steps;
        offset -= steps * stride;
    }
    return offset == 0;
}

/* "y[0, 3]", if that can be told. */
static void name_element(const Place *place, uintptr_t at, char *text) {
    const Named *named = &place->named;
    int64_t index[IR_MAX_DIMS];
    *text = '\0';
    if (!*place->name || named->varies || !index_of(named, at, index)) return;
    int len = snprintf(text, ELEMENT_CHARS, "%.32s", place->name);
    for (unsigned i = 0; i < named->type.ndim; i++)
        len += snprintf(text + len, ELEMENT_CHARS - (size_t)len, "%s%" PRId64, i ? ", " : "[",
                        index[i]);
    snprintf(text + len, ELEMENT_CHARS - (size_t)len, "]");
}

static const char *kind_name(const JrRaces *races, uint32_t place) {
    uint32_t kind = races->kinds[place].kind;
    return kind == WATCHED_READ ? "read" : kind == WATCHED_WRITE ? "write" : "update";
}

static JrFrame frame_of(const Place *place) {
    return (JrFrame){place->func, place->file, place->line, place->col};
}

static JrRaceAccess access_of(const JrRaces *races, uint32_t number, int64_t iteration,
                              const char *element) {
    const Place *place = &races->places[number];
    return (JrRaceAccess){.at = frame_of(place),
                          .end_column = place->end_col,
                          .kind = kind_name(races, number),
                          .array = place->name,
                          .element = element,
                          .iteration = iteration};
}

/* An access while its element is looked up. */
typedef struct Access {
    JrRaces *races;
    const Told *told;
    uintptr_t at;
    bool failed; /* no memory */
} Access;

static void add_race(Access *access, uint32_t place, int64_t iteration) {
    JrRaces *races = access->races;
    JrRaceCheck *result = &races->result;
    Found *found = &races->found[result->race_count];
    *found = (Found){.first = place, .second = access->told->place, .loop = races->loop};
    if (!keep_texts(races->alloc, &found->loop)) {
        access->failed = true;
        return;
    }
    name_element(&races->places[place], access->at, found->first_element);
    name_element(&races->places[found->second], access->at, found->second_element);
    races->races[result->race_count++] = (JrRace){
        .first = access_of(races, place, iteration, found->first_element),
        .second = access_of(races, found->second, races->iteration, found->second_element),
        .loop = frame_of(&found->loop),
        .counter = found->loop.name,
        .count = 1};
}

static void note_clash(void *user, uint32_t place, int64_t iteration) {
    Access *access = user;
    JrRaces *races = access->races;
    JrRaceCheck *result = &races->result;
    uint32_t mine = access->told->place;
    for (size_t i = 0; i < result->race_count; i++) {
        const Found *found = &races->found[i];
        if ((found->first == place && found->second == mine) ||
            (found->first == mine && found->second == place)) {
            races->races[i].count++;
            return;
        }
    }
    result->more |= result->race_count == MOST_RACES;
    if (result->race_count < MOST_RACES) add_race(access, place, iteration);
}

static bool touch(JrRaces *races, const Told *told, uintptr_t at) {
    Access access = {races, told, at, false};
    races->result.accesses++;
    return jr_shadow_touch(races->shadow, races->kinds, told->place, at, races->iteration,
                           note_clash, &access) &&
           !access.failed;
}

/* ---- What compiled code calls ---- */

static JrRaces *running(JrRt *rt) {
    JrRaces *races = jr_thread_of(rt)->races;
    return races && races->depth ? races : NULL;
}

JR_RT_FN(race_loop) {
    JrRaces *races = jr_thread_of(rt)->races;
    if (!races || races->depth++) return 0;
    races->loop = make_place(where, args);
    races->result.loops++;
    races->shadow = jr_shadow_new(races->memory, most_memory());
    return races->shadow ? 0 : no_memory(rt, where, races);
}

JR_RT_FN(race_iteration) {
    JrRaces *races = running(rt);
    if (!races || races->depth > 1) return 0;
    races->iteration = args[0].i;
    races->result.iterations++;
    return 0;
}

JR_RT_FN(race_done) {
    JrRaces *races = running(rt);
    if (!races || --races->depth) return 0;
    jr_shadow_free(races->shadow);
    races->shadow = NULL;
    return 0;
}

JR_RT_FN(race_touch) {
    JrRaces *races = running(rt);
    if (!races) return 0;
    Told told = told_by(args);
    const int64_t *dims = told.array->dims, *strides = dims + told.type.ndim;
    int64_t offset = 0;
    for (unsigned i = 0; i < told.type.ndim; i++) {
        int64_t index = args[8 + i].i;
        if (index < 0) index += dims[i];
        if (index < 0 || index >= dims[i]) return 0; /* the access itself says so */
        offset += index * strides[i];
    }
    uintptr_t at = (uintptr_t)told.array->data +
                   (uintptr_t)(offset * ir_scalar_size((IrScalar)told.type.scalar));
    bool noted = know_place(races, where, &told) && touch(races, &told, at);
    return noted ? 0 : no_memory(rt, where, races);
}

JR_RT_FN(race_touch_all) {
    JrRaces *races = running(rt);
    if (!races) return 0;
    Told told = told_by(args);
    if (!know_place(races, where, &told)) return no_memory(rt, where, races);
    for (JrWalk w = jr_walk(told.type, told.array); !w.done; jr_walk_next(&w))
        if (!touch(races, &told, (uintptr_t)w.at)) return no_memory(rt, where, races);
    return 0;
}

JR_RT_FN(race_fresh) {
    JrRaces *races = running(rt);
    const JrArray *array = args[1].cp;
    if (races && array->owner)
        jr_shadow_forget(races->shadow, (uintptr_t)array->data, jr_buffer_bytes(array->owner));
    return 0;
}
