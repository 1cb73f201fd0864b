/*
 * wrap_plain.c - the wrappers of all functions whose arguments need no telling apart.
 *
 * A function of N arguments, each an integer, a pointer or a struct of at most 8 bytes,
 * takes N machine words, in registers and then in 8-byte stack slots, on x86-64 and on
 * aarch64 alike. So one wrapper for each N forwards them all. The record has the first
 * four; of a narrower argument the upper bits are whatever the caller left there.
 *
 * Up to five words, all functions of one N share their code: the exported wrapper is the
 * guard, which leaves by a jump, with the function's id in the register behind the last
 * argument. From six on they would have to be moved on the stack for that; those few
 * functions have all of it for themselves.
 */
#include "shim/question.h"
#include "shim/wrap.h"

typedef uintptr_t word;

#define LIST(...) __VA_ARGS__
#define CALL(...) fill_head(r.slot, VPROF_KIND_CALL, call, object); fill_words(r.slot, __VA_ARGS__)

CUresult vprof_count_result(unsigned call, CUresult result)
{
	vprof_count_slow(call, cu_query_of[call], result != CUDA_SUCCESS && result != CUDA_ERROR_NOT_READY);
	for (unsigned i = 0; i < VPROF_NEAR; i++)
		if (cu_near[i] == call)
			vprof_count_near(i, cu_query_of[call]);
	return result;
}

CUresult vprof_count_failed(unsigned call, CUresult result)
{
	if (result != CUDA_ERROR_NOT_READY)
		vprof_count_error(cu_query_of[call]);
	return result;
}

/* ---- up to five words ---- */

#define SHARED(N, types, params, args, all, ...)                                                    \
	typedef CUresult (*real_##N)types;                                                     \
	static COLD CUresult slow_##N(params unsigned call)                                    \
	{                                                                                      \
		struct vprof_record r = vprof_open(UINT32_MAX);                                \
		enum { object = 0 };                                                           \
		CUresult result;                                                               \
                                                                                               \
		if (!r.slot)                                                                   \
			return ((real_##N)vprof_target(call))(args);                           \
		CALL(__VA_ARGS__);                                                             \
		vprof_publish(r);                                                              \
		result = ((real_##N)vprof_real[call])(args);                                   \
		vprof_end(r, (uint32_t)result);                                                \
		return result;                                                                 \
	}                                                                                      \
	__attribute__((used)) static RECORDER CUresult record_##N(params unsigned call)                              \
	{                                                                                      \
		real_##N real = (real_##N)vprof_real[call];                                    \
		struct vprof_record r;                                                         \
		enum { object = 0 };                                                           \
		CUresult result;                                                               \
                                                                                               \
		if (unlikely(vprof_slow_ways() & VPROF_SLOW_CLOCK))                            \
			return slow_##N(all);                                                  \
		r = vprof_begin_quick(vprof_cursor_at());                                              \
		if (unlikely(!r.slot))                                                         \
			return slow_##N(all);                                                  \
		CALL(__VA_ARGS__);                                                             \
		vprof_publish_at(r, vprof_ticks_quick());                                      \
		result = real(args);                                                           \
		vprof_end_at(r, (uint32_t)result, vprof_ticks_quick());                        \
		return result;                                                                 \
	}                                                                                      \
	__attribute__((used)) static RECORDER CUresult off_##N(params unsigned call)                                 \
	{                                                                                      \
		real_##N real = (real_##N)vprof_real[call];                                    \
                                                                                               \
		return likely(real) ? real(args) : ((real_##N)vprof_resolve(call))(args);      \
	}                                                                                      \
	__attribute__((used)) static RECORDER CUresult count_##N(params unsigned call)                               \
	{                                                                                      \
		return count_query(call, ((real_##N)vprof_target(call))(args));                \
	}

SHARED(0, (void), , , LIST(call), 0, 0, 0, 0)
SHARED(1, (word), LIST(word a,), LIST(a), LIST(a, call), a, 0, 0, 0)
SHARED(2, (word, word), LIST(word a, word b,), LIST(a, b), LIST(a, b, call), a, b, 0, 0)
SHARED(3, (word, word, word), LIST(word a, word b, word c,), LIST(a, b, c), LIST(a, b, c, call), a, b, c, 0)
SHARED(4, (word, word, word, word), LIST(word a, word b, word c, word d,), LIST(a, b, c, d),
       LIST(a, b, c, d, call), a, b, c, d)
SHARED(5, (word, word, word, word, word), LIST(word a, word b, word c, word d, word e,), LIST(a, b, c, d, e),
       LIST(a, b, c, d, e, call), a, b, c, d)

#define ACT(name, N, params, args)                                                             \
	EXPORT CUresult name params;                                                           \
	WRAPPER CUresult name params                                                           \
	{                                                                                      \
		return likely(vprof_recording(CU_BIT_##name)) ? record_##N args : off_##N args; \
	}
#if defined(__x86_64__)
#define ASK(name, N, params, args) QUESTION(name, N)
#else
#define ASK(name, N, params, args)                                                             \
	EXPORT CUresult name params;                                                           \
	WRAPPER CUresult name params                                                           \
	{                                                                                      \
		uint32_t groups = vprof_groups();                                              \
                                                                                               \
		if (groups & CU_BIT_##name)                                                    \
			return record_##N args;                                                \
		return groups ? count_##N args : off_##N args;                                 \
	}
#endif

/* By the group's number. */
#define FORM_0  ACT
#define FORM_1  ACT
#define FORM_2  ACT
#define FORM_3  ACT
#define FORM_4  ACT
#define FORM_5  ACT
#define FORM_6  ACT
#define FORM_7  ACT
#define FORM_8  ACT
#define FORM_9  ASK
#define FORM(group) FORM_##group
#define SHORT(group, ...) FORM(group)(__VA_ARGS__)

#define PLAIN_0(name, group) SHORT(group, name, 0, (void), (CU_ID_##name))
#define PLAIN_1(name, group) SHORT(group, name, 1, (word a), (a, CU_ID_##name))
#define PLAIN_2(name, group) SHORT(group, name, 2, (word a, word b), (a, b, CU_ID_##name))
#define PLAIN_3(name, group) SHORT(group, name, 3, (word a, word b, word c), (a, b, c, CU_ID_##name))
#define PLAIN_4(name, group) SHORT(group, name, 4, (word a, word b, word c, word d), (a, b, c, d, CU_ID_##name))
#define PLAIN_5(name, group) \
	SHORT(group, name, 5, (word a, word b, word c, word d, word e), (a, b, c, d, e, CU_ID_##name))

/* ---- from six on: P and A are the parameters and arguments behind the fifth ---- */

#define LONG(name, P, A)                                                                       \
	WRAP(name, (word a, word b, word c, word d, word e, P), (a, b, c, d, e, A), 0, CALL(a, b, c, d));
#define PLAIN_6(name, group)  LONG(name, LIST(word f), LIST(f))
#define PLAIN_7(name, group)  LONG(name, LIST(word f, word g), LIST(f, g))
#define PLAIN_8(name, group)  LONG(name, LIST(word f, word g, word h), LIST(f, g, h))
#define P9             word f, word g, word h, word i
#define A9             f, g, h, i
#define PLAIN_9(name, group)  LONG(name, LIST(P9), LIST(A9))
#define PLAIN_10(name, group) LONG(name, LIST(P9, word j), LIST(A9, j))
#define PLAIN_11(name, group) LONG(name, LIST(P9, word j, word k), LIST(A9, j, k))
#define PLAIN_12(name, group) LONG(name, LIST(P9, word j, word k, word l), LIST(A9, j, k, l))
#define PLAIN_13(name, group) LONG(name, LIST(P9, word j, word k, word l, word m), LIST(A9, j, k, l, m))
#define P14            P9, word j, word k, word l, word m, word n
#define A14            A9, j, k, l, m, n
#define PLAIN_14(name, group) LONG(name, LIST(P14), LIST(A14))
#define PLAIN_15(name, group) LONG(name, LIST(P14, word o), LIST(A14, o))
#define PLAIN_16(name, group) LONG(name, LIST(P14, word o, word p), LIST(A14, o, p))

#define MAKE_TYPED(symbol, nargs, group)
#define MAKE_GATE(symbol, nargs, group)
#define MAKE_PLAIN(symbol, nargs, group) PLAIN_##nargs(symbol, group)
#define CU_ROW(symbol, base, version, flags, family, style, nargs) MAKE_##style(symbol, nargs, CU_GROUP_##family)
#include "shim/cuda_api.def"
