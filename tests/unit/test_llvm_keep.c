/* Object files that the LLVM engine keeps: what belongs to a key, and that nothing is believed of what
 * comes back. */
#include "tests/unit/llvm_harness.h"

static const char half_text[] = "func half(%x: float64) -> float64 exported @3:1-5 {\n"
                                "  %1 = mul %x, 0.5 @4:5-9\n  return %1\n}\n";
static const char first_text[] = "func first(%x: float64[::1]) -> float64 exported @3:1-5 {\n"
                                 "  %1 = load %x[0] @4:5-9\n  return %1 @4:1-9\n}\n";

/* A cache of one piece of code, and what was asked of it. */
typedef struct Shelf {
    char *key, *code;
    size_t key_len, len;
    int loads, hits, stores;
} Shelf;

static char *copy(const char *bytes, size_t len) {
    char *to = malloc(len + 1);
    return memcpy(to, bytes, len);
}

static char *shelf_load(void *user, const char *key, size_t key_len, size_t *len) {
    Shelf *shelf = user;
    shelf->loads++;
    if (!shelf->code || key_len != shelf->key_len || memcmp(key, shelf->key, key_len) != 0)
        return NULL;
    shelf->hits++;
    *len = shelf->len;
    return copy(shelf->code, shelf->len);
}

static void shelf_store(void *user, const char *key, size_t key_len, const char *code,
                        size_t len) {
    Shelf *shelf = user;
    free(shelf->key);
    free(shelf->code);
    shelf->key = copy(key, shelf->key_len = key_len);
    shelf->code = copy(code, shelf->len = len);
    shelf->stores++;
}

static void shelf_clear(Shelf *shelf) {
    free(shelf->key);
    free(shelf->code);
    *shelf = (Shelf){0};
}

static JrCodeCache cache_of(Shelf *shelf) {
    return (JrCodeCache){shelf_load, shelf_store, shelf};
}

static Loaded load_kept(const char *text, JrEngineOptions options, Shelf *shelf) {
    JrCodeCache cache = cache_of(shelf);
    options.cache = &cache;
    Loaded l = load_with(text, &options);
    if (!l.code) fail_msg("%s", l.why);
    return l;
}

static double half_of(Loaded *l, double x) {
    Fake fake;
    fake_init(&fake);
    double y = 0;
    assert_int_equal(call(l, "half", &fake, ARGS(&x), ARGS(&y)), 0);
    return y;
}

/* The same code may be linked several times at once, and go in any order. */
static void test_found_again(void **state) {
    (void)state;
    Shelf shelf = {0};
    Loaded loaded[4];
    for (int i = 0; i < 4; i++)
        loaded[i] = load_kept(half_text, fake_options(), &shelf);
    assert_int_equal(shelf.stores, 1);
    assert_int_equal(shelf.hits, 3);
    unload(&loaded[0]);
    unload(&loaded[2]);
    assert_true(half_of(&loaded[1], 3) == 1.5 && half_of(&loaded[3], 5) == 2.5);
    Loaded plain = load(half_text); /* beside code that is not kept */
    assert_true(half_of(&plain, 7) == 3.5);
    unload(&plain);
    unload(&loaded[3]);
    unload(&loaded[1]);
    shelf_clear(&shelf);
}

static void test_errors_have_their_place(void **state) {
    (void)state;
    Shelf shelf = {0};
    for (int i = 0; i < 2; i++) {
        Loaded l = load_kept(first_text, fake_options(), &shelf);
        Header empty = vector(NULL, 0);
        Fake fake;
        fake_init(&fake);
        double x;
        assert_int_equal(call(&l, "first", &fake, ARGS(&empty), ARGS(&x)), EXC_INDEX);
        assert_int_equal(fake.where.line, 4);
        assert_string_equal(fake.where.file, "test.src");
        unload(&l);
    }
    assert_int_equal(shelf.hits, 1);
    shelf_clear(&shelf);
}

static char *replaced(JrArena *arena, const char *text, const char *from, const char *to) {
    const char *at = strstr(text, from);
    assert_non_null(at);
    return jr_arena_printf(arena, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

static bool hits(const char *text, JrEngineOptions options, Shelf *shelf) {
    int before = shelf->hits;
    Loaded l = load_kept(text, options, shelf);
    unload(&l);
    return shelf->hits > before;
}

static void test_what_a_key_depends_on(void **state) {
    (void)state;
    Shelf shelf = {0};
    JrArena *arena = jr_arena_new(NULL);
    const char *other[] = {
        replaced(arena, half_text, "0.5", "0.25"),
        replaced(arena, half_text, "@4:5-9", "@5:5-9"), /* errors have lines */
        replaced(arena, half_text, "exported", "exported fastmath"),
        replaced(arena, half_text, "exported", "exported display \"h\""),
        first_text,
    };
    JrEngineOptions plain = fake_options(), changed[6] = {plain, plain, plain, plain, plain};
    const bool no_entry[] = {false};
    const JrCSignature pointer[] = {{"c_half", true}};
    changed[0].opt_level = 1;
    changed[1].fastmath = true;
    changed[2].cpu = "generic";
    changed[3].signatures = pointer;
    changed[4].signatures = pointer;
    changed[4].entries = no_entry;
    changed[5] = plain;
    changed[5].symbols.count--;
    for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
        assert_false(hits(half_text, plain, &shelf));
        assert_false(hits(other[i], plain, &shelf));
    }
    for (size_t i = 0; i < sizeof changed / sizeof *changed; i++) {
        hits(half_text, plain, &shelf);
        assert_true(hits(half_text, plain, &shelf));
        assert_false(hits(half_text, changed[i], &shelf));
        assert_true(hits(half_text, changed[i], &shelf));
    }
    shelf_clear(&shelf);
    jr_arena_free(arena);
}

/* It is made anew, and kept in place of what was there. */
static void check_remade(Shelf *shelf) {
    int stores = shelf->stores;
    Loaded l = load_kept(half_text, fake_options(), shelf);
    assert_true(half_of(&l, 3) == 1.5);
    unload(&l);
    assert_int_equal(shelf->stores, stores + 1);
    assert_true(hits(half_text, fake_options(), shelf));
    assert_int_equal(shelf->stores, stores + 1);
}

static void test_what_is_no_object_file(void **state) {
    (void)state;
    static const char noise[] =
        "this is not machine code at all, but it is longer than a header";
    Shelf shelf = {0};
    hits(half_text, fake_options(), &shelf);
    const size_t lengths[] = {0, 1, 40, shelf.len / 2};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        shelf.len = lengths[i];
        check_remade(&shelf);
    }
    memcpy(shelf.code, noise, sizeof noise);
    check_remade(&shelf);
    memset(shelf.code + 40, 0xff, 8); /* where the sections are */
    check_remade(&shelf);
    shelf_clear(&shelf);
}

static void test_not_kept(void **state) {
    (void)state;
    Shelf shelf = {0};
    JrCodeCache cache = cache_of(&shelf);
    JrEngineOptions options = fake_options();
    options.cache = &cache;
    Loaded l = load_with("host sample(float64) -> float64\n\n"
                         "func f(%x: float64) -> float64 exported {\n"
                         "  %1: float64 = call sample(%x)\n  return %1\n}\n",
                         &options); /* which fails: there is no such host function */
    assert_null(l.code);
    unload(&l);
    assert_int_equal(shelf.loads + shelf.stores, 0);
    shelf_clear(&shelf);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found_again),
        cmocka_unit_test(test_errors_have_their_place),
        cmocka_unit_test(test_what_a_key_depends_on),
        cmocka_unit_test(test_what_is_no_object_file),
        cmocka_unit_test(test_not_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
