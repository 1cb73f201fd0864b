/*
 * wrap.h - what every wrapper is made of.
 *
 * Two forms, both reading: guard, t0, real, t1, record, return.
 *
 * WRAP_QUICK, for calls that programs make often: functions of one signature, each of
 * which leaves to the next by a jump, with the arguments where the caller put them. The
 * exported one is the guard. NAME_record is the common case, and makes no call but the
 * real one; NAME_off leaves to the real function, or counts the call when it only asks.
 * Whatever else may be needed (a new chunk, an unknown kernel, a clock without a counter, a
 * process in which recording never began, a limit on launches) is in NAME_slow.
 *
 * WRAP_KEEP, for calls that make or unmake what later records refer to. Its `before` runs
 * before every call and its `learn` after every successful one, recorded or not; its
 * `done` stores what is known only then.
 *
 * In both, `params` is the parameter list and `args` the same as arguments, in brackets;
 * `r.slot` is the slot, `call` the id, `result` what the driver returned.
 *
 * RULES. The program's pointers are read before the real call only where the driver
 * reads them too, and never when NULL; what the driver writes, only after success. A slot
 * that has gone to another record meanwhile is left alone. Errno is kept.
 */
#ifndef VPROF_SHIM_WRAP_H
#define VPROF_SHIM_WRAP_H

#include <stdint.h>
#include <string.h>
#include "preload/inner.h"
#include "preload/record.h"
#include "shim/cuda_abi.h"
#include "shim/cuda_api.h"
#include "shim/eager.h"
#include "shim/kernels.h"
#include "shim/often.h"
#include "shim/resolve.h"
#include "shim/twin.h"

/* All wrappers lie together, so that vprof_shim_owns() knows them; or in "vprof_often" (often.h). */
#define WRAPPER     __attribute__((section("vprof_wrappers")))
#define RECORDER    __attribute__((section("vprof_wrappers"), noinline))
#define PLACED(name) __attribute__((section(CU_SECTION(name)), noinline))

/*
 * The guard: is the group of this function recorded? In C a compiler copies the arguments that
 * lie on the stack, to where they are, before it jumps; so it is written out where that is a
 * matter of three lines. It takes 15 bytes, and the recorder follows it in the same line of code: the compiler is
 * told not to put anything in between. (One that cannot be told so, clang, lays them apart.)
 */
#if __has_attribute(no_reorder)
#define IN_ORDER __attribute__((no_reorder))
#else
#define IN_ORDER
#endif
#if defined(__x86_64__)
#define TEXT_OF(number) #number
#define SET_GROUP(symbol, group) __asm__(".set .Lcu_group_" #symbol ", " TEXT_OF(group) "\n");
#define CU_ROW(symbol, base, version, flags, family, style, nargs) SET_GROUP(symbol, CU_GROUP_##family)
#include "shim/cuda_api.def"
#define GUARD(name, params, args)                                                      \
	__asm__(".pushsection " CU_SECTION(name) ", \"ax\", @progbits\n"              \
		".p2align 6\n"                                                         \
		".globl " #name "\n"                                                   \
		".type " #name ", @function\n"                                         \
		#name ":\n"                                                            \
		".cfi_startproc\n"                                                     \
		"	testb $(1 << (.Lcu_group_" #name " & 7)), vprof_guard + (.Lcu_group_" #name " >> 3)(%rip)\n" \
		"	je " #name "_off\n"                                            \
		"	jmp " #name "_record\n"                                        \
		".cfi_endproc\n"                                                       \
		".size " #name ", . - " #name "\n"                                     \
		".popsection\n");
#else
#define GUARD(name, params, args)                                                      \
	PLACED(name) CUresult name params                                              \
	{                                                                              \
		return likely(vprof_recording(CU_BIT_##name)) ? name##_record args : name##_off args; \
	}
#endif

/* The driver's function behind wrapper `name`: see vprof_real on when it may be called untested. */
#define REAL(name)   ((__typeof__(&name))CU_REAL(name))
#define TARGET(name) ((__typeof__(&name))vprof_target(CU_ID_##name))

/* The handles and addresses of a record are plain numbers. */
#define WORD(x) ((uint64_t)(uintptr_t)(x))

/*
 * quick: the record's object, without a call; full: the same at any price. The quick way
 * is taken when `ready`, which may use `object`. Not before the thread has a chunk: until then
 * another may be making the tables that `quick` looks at.
 */
#define WRAP_QUICK(visible, name, params, args, quick, ready, full, fill) \
	WRAP_COUNTED(visible, name, params, args, quick, ready, full, fill, 0)

/* What puts work onto a stream that may get stamps. */
#define CU_IS_STAMPED(name) \
	((CU_BIT_##name & (VPROF_GROUP_BIT(VPROF_GROUP_LAUNCH) | VPROF_GROUP_BIT(VPROF_GROUP_COPY))) != 0)

/* Which of enum vprof_slow_way concern it: stamps around whole graphs, only launches of graphs. */
#define CU_SLOW_WAYS(name) \
	(CU_BIT_##name == VPROF_GROUP_BIT(VPROF_GROUP_GRAPH) ? UINT32_MAX : ~(uint32_t)VPROF_SLOW_SPANS)

/* `launches`: 1 when it is a launch, of which the user may have asked for so many. */
#define WRAP_COUNTED(visible, name, params, args, quick, ready, full, fill, launches)  \
	visible CUresult name params;                                                  \
	static COLD CUresult name##_long params                                        \
	{                                                                              \
		enum { call = CU_ID_##name };                                          \
		uint64_t launch = (launches) ? vprof_launch_take() : VPROF_LAUNCH_FREE, end; \
		struct vprof_record r = { NULL, 0 };                                   \
		struct vprof_eager eager;                                              \
		uint32_t object;                                                       \
		CUresult result;                                                       \
                                                                                       \
		if (launch != VPROF_LAUNCH_REFUSED)                                    \
			r = vprof_open(CU_BIT_##name);                                 \
		if (!r.slot) {                                                         \
			vprof_launch_drop(launch);                                     \
			if (CU_IS_STAMPED(name) && vprof_eager_is_on())                \
				vprof_eager_miss();                                    \
			return TARGET(name) args;                                      \
		}                                                                      \
		/* Not before: the call above is a jump, which leaves all 64 bits of its result. */ \
		eager = (struct vprof_eager){ .track = NULL };                         \
		object = full;                                                         \
		fill;                                                                  \
		if (CU_IS_STAMPED(name))                                               \
			eager = vprof_eager_before(r, call);                           \
		vprof_publish(r);                                                      \
		vprof_launch_made(launch);                                             \
		result = REAL(name) args;                                              \
		end = vprof_ticks(); /* a stamp behind it is not the driver's time */  \
		if (CU_IS_STAMPED(name) && eager.track)                                \
			vprof_eager_behind(eager, r, result);                          \
		vprof_end_at(r, (uint32_t)result, end);                                \
		vprof_kernel_settle(result);                                           \
		return result;                                                         \
	}                                                                              \
	WRAP_AROUND(visible, name, params, args, quick, ready, fill)

/* Must its launches be seen, so that none overtakes a twin? */
#define CU_TWINS_OUT(name) \
	((CU_ID_##name == CU_ID_cuGraphLaunch || CU_ID_##name == CU_ID_cuGraphLaunch_ptsz) && unlikely(vprof_twins_out))

/* All of it but NAME_long, the slow way, which stands before. */
#define WRAP_AROUND(visible, name, params, args, quick, ready, fill)                   \
	visible CUresult name params;                                                  \
	HIDDEN CUresult name##_record params;                                          \
	HIDDEN CUresult name##_off params;                                             \
	/* With little of its own to do, so that those of no interest pass with little. */ \
	static COLD CUresult name##_slow params                                        \
	{                                                                              \
		return vprof_thread_is_passed() && !CU_TWINS_OUT(name) ? TARGET(name) args : name##_long args; \
	}                                                                              \
	GUARD(name, params, args)                                                      \
	IN_ORDER PLACED(name) CUresult name##_record params                            \
	{                                                                              \
		enum { call = CU_ID_##name };                                          \
		uint64_t at = vprof_cursor_at();                                               \
		struct vprof_record r;                                                 \
		uint32_t object;                                                       \
		CUresult result;                                                       \
                                                                                       \
		if (unlikely(!vprof_cursor_slot(at) || !vprof_is_quick(CU_SLOW_WAYS(name)))) \
			return name##_slow args;                                       \
		object = quick;                                                        \
		if (unlikely(!(ready)))                                                \
			return name##_slow args;                                       \
		r = vprof_begin_quick(at);                                                     \
		if (unlikely(!r.slot))                                                 \
			return name##_slow args;                                       \
		fill;                                                                  \
		vprof_publish_at(r, vprof_ticks_quick());                              \
		result = REAL(name) args;                                              \
		vprof_end_at(r, (uint32_t)result, vprof_ticks_quick());                \
		return result;                                                         \
	}                                                                              \
	PLACED(name) CUresult name##_off params                                        \
	{                                                                              \
		if (CU_TWINS_OUT(name))                                                \
			return name##_slow args;                                       \
		if (CU_IS_QUERY(name) && vprof_groups())                               \
			return count_query(CU_ID_##name, TARGET(name) args);           \
		return likely(REAL(name)) ? REAL(name) args : name##_slow args;        \
	}                                                                              \
	_Static_assert(1, "")

/* A record whose object is a constant. */
#define WRAP(name, params, args, constant, fill) \
	WRAP_QUICK(EXPORT, name, params, args, constant, 1, constant, fill)

#define WRAP_KEEP(visible, name, params, args, before, fill, learn, done)              \
	visible CUresult name params;                                                  \
	WRAPPER CUresult name params                                                   \
	{                                                                              \
		enum { call = CU_ID_##name };                                          \
		struct vprof_record r = vprof_open_keep(CU_BIT_##name);                \
		uint32_t object = 0;                                                   \
		uint64_t end;                                                          \
		CUresult result;                                                       \
                                                                                       \
		before;                                                                \
		if (r.slot) {                                                          \
			fill;                                                          \
			vprof_publish(r);                                              \
		}                                                                      \
		result = TARGET(name) args;                                            \
		end = vprof_ticks(); /* what we do now is not the driver's time */     \
		if (result == CUDA_SUCCESS) {                                          \
			learn;                                                         \
			if (r.slot && vprof_is_ours(r)) {                              \
				done;                                                  \
			}                                                              \
		}                                                                      \
		if (r.slot)                                                            \
			vprof_end_at(r, (uint32_t)result, end);                        \
		(void)object;                                                          \
		return result;                                                         \
	}                                                                              \
	_Static_assert(1, "")

/* The rest of count_query(), which gives its caller's result back so that it can be jumped to. */
CUresult vprof_count_result(unsigned call, CUresult result) HIDDEN COLD;

/* Counts a call that only asks, instead of recording it. "Not ready" is an answer. */
static ALWAYS_INLINE CUresult count_query(unsigned call, CUresult result)
{
	if (likely(result == CUDA_SUCCESS || result == CUDA_ERROR_NOT_READY) && vprof_count_quick(cu_query_of[call]))
		return result;
	return vprof_count_result(call, result);
}

/* The record of a call about to be made; slot is NULL when it is not recorded. */
static inline struct vprof_record vprof_open(uint32_t group)
{
	struct vprof_record none = { NULL, 0 };

	return vprof_recording(group) ? vprof_begin() : none;
}

/* The same of a call without which no process can use its GPU: a child that _Fork() made is seen here. */
static inline struct vprof_record vprof_open_keep(uint32_t group)
{
	if (unlikely(!vprof_is_alive()))
		vprof_start_child();
	return vprof_open(group);
}

static inline uint32_t vprof_slow_ways(void)
{
	return __atomic_load_n(&vprof_state.slow, __ATOMIC_RELAXED);
}

/* Is recording what it mostly is: the clock a counter, no limit to be kept, no stamps? Relaxed: see launches.c. */
static inline int vprof_is_quick(uint32_t ways)
{
	return !(vprof_slow_ways() & ways);
}

/* Does the slot still hold our record? Asked before fields are stored that are valid with done. */
static inline int vprof_is_ours(struct vprof_record r)
{
	return __atomic_load_n(&r.slot->seq, __ATOMIC_RELAXED) == r.seq;
}

static ALWAYS_INLINE void fill_head(struct vprof_slot *slot, enum vprof_kind kind, unsigned call, uint32_t object)
{
	/* As one, and not known: constants side by side would be loaded from memory, a line that has long gone. */
	uint32_t head = (uint32_t)kind | (uint32_t)call << 16;

	__asm__("" : "+r"(head));
	_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "kind comes first");
	memcpy(&slot->kind, &head, sizeof(head));
	slot->object = object;
}

static ALWAYS_INLINE void fill_words(struct vprof_slot *slot, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	slot->words[0] = a;
	slot->words[1] = b;
	slot->words[2] = c;
	slot->words[3] = d;
}

#endif
