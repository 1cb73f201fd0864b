/*
 * wrap_plain.c - the wrappers of all functions whose arguments need no telling apart.
 *
 * A function of N arguments, each an integer, a pointer or a struct of at most 8 bytes,
 * takes N machine words, in registers and then in 8-byte stack slots, on x86-64 and on
 * aarch64 alike. So one wrapper for each N forwards them all. The record has the first
 * four; of a narrower argument the upper bits are whatever the caller left there.
 */
#include "shim/wrap.h"

typedef uintptr_t word;

#define CALL(...) fill_head(r.slot, VPROF_KIND_CALL, call, object); fill_words(r.slot, __VA_ARGS__)
#define PLAIN(name, params, args, ...) WRAP(name, params, args, 0, CALL(__VA_ARGS__))

#define PLAIN_0(name) PLAIN(name, (void), (), 0, 0, 0, 0)
#define PLAIN_1(name) PLAIN(name, (word a), (a), a, 0, 0, 0)
#define PLAIN_2(name) PLAIN(name, (word a, word b), (a, b), a, b, 0, 0)
#define PLAIN_3(name) PLAIN(name, (word a, word b, word c), (a, b, c), a, b, c, 0)
#define PLAIN_4(name) PLAIN(name, (word a, word b, word c, word d), (a, b, c, d), a, b, c, d)

/* From five on: P and A are the further parameters and arguments. */
#define PLAIN_MORE(name, P, A) \
	PLAIN(name, (word a, word b, word c, word d, P), (a, b, c, d, A), a, b, c, d)
#define LIST(...) __VA_ARGS__
#define PLAIN_5(name)  PLAIN_MORE(name, LIST(word e), LIST(e))
#define PLAIN_6(name)  PLAIN_MORE(name, LIST(word e, word f), LIST(e, f))
#define PLAIN_7(name)  PLAIN_MORE(name, LIST(word e, word f, word g), LIST(e, f, g))
#define PLAIN_8(name)  PLAIN_MORE(name, LIST(word e, word f, word g, word h), LIST(e, f, g, h))
#define P9             word e, word f, word g, word h, word i
#define A9             e, f, g, h, i
#define PLAIN_9(name)  PLAIN_MORE(name, LIST(P9), LIST(A9))
#define PLAIN_10(name) PLAIN_MORE(name, LIST(P9, word j), LIST(A9, j))
#define PLAIN_11(name) PLAIN_MORE(name, LIST(P9, word j, word k), LIST(A9, j, k))
#define PLAIN_12(name) PLAIN_MORE(name, LIST(P9, word j, word k, word l), LIST(A9, j, k, l))
#define PLAIN_13(name) PLAIN_MORE(name, LIST(P9, word j, word k, word l, word m), LIST(A9, j, k, l, m))
#define P14            P9, word j, word k, word l, word m, word n
#define A14            A9, j, k, l, m, n
#define PLAIN_14(name) PLAIN_MORE(name, LIST(P14), LIST(A14))
#define PLAIN_15(name) PLAIN_MORE(name, LIST(P14, word o), LIST(A14, o))
#define PLAIN_16(name) PLAIN_MORE(name, LIST(P14, word o, word p), LIST(A14, o, p))

#define MAKE_TYPED(symbol, nargs)
#define MAKE_GATE(symbol, nargs)
#define MAKE_PLAIN(symbol, nargs) PLAIN_##nargs(symbol);
#define CU_ROW(symbol, base, version, flags, family, style, nargs) MAKE_##style(symbol, nargs)
#include "shim/cuda_api.def"
