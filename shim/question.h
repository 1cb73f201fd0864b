/*
 * question.h - the wrapper of a function that only asks, in assembly.
 *
 * Programs ask hundreds of times in a step, and do so much in between that the cost is not what is
 * done but how much is touched: lines of code and of data, pages, and jumps. So such a function has all
 * of it for itself, side by side. The few that are asked most (CU_NEAR) lie in one page, and count
 * within one line of code with four lines of data: the control word, vprof_state, the thread's cursor,
 * and the slot.
 *
 * A slot is kept for as long as the thread may count there (count.c), so nothing else is asked; after
 * any kind of fork vprof_state.cursor is 0. A call is counted as it is made. The first ones, and what
 * has to be found out, go the way in C: count_N, off_N, record_N of wrap_plain.c; one that failed is
 * told to vprof_count_failed().
 */
#ifndef VPROF_SHIM_QUESTION_H
#define VPROF_SHIM_QUESTION_H

#include <stddef.h>
#include "shim/wrap.h"

/* The result of a question that the quick way has counted, and that was not CUDA_SUCCESS. Returns it. */
CUresult vprof_count_failed(unsigned call, CUresult result) HIDDEN COLD;

#if defined(__x86_64__)

/* Where a function of N words takes one more: the id. */
#define QUESTION_ID_0 "%%edi"
#define QUESTION_ID_1 "%%esi"
#define QUESTION_ID_2 "%%edx"
#define QUESTION_ID_3 "%%ecx"
#define QUESTION_ID_4 "%%r8d"
#define QUESTION_ID_5 "%%r9d"
#define QUESTION_LEAVE(label, where, N) \
	#label ":	movl %[id], " QUESTION_ID_##N "\n	jmp " where #N "\n"

/* Where it is counted, in r10, or on to label 2; and where the real function is. */
#define QUESTION_FAR_SLOT                                                              \
	"	movq %%fs:%c[counts](%%r11), %%r10\n"                                  \
	"	testq %%r10, %%r10\n"                                                  \
	"	je 2f\n"                                                               \
	"	movq %c[slot](%%r10), %%r10\n"                                         \
	"	testq %%r10, %%r10\n"                                                  \
	"	je 2f\n"                                                               \
	"	cmpl %[timed], %c[count](%%r10)\n"                                     \
	"	jb 2f\n"
#define QUESTION_NEAR_SLOT(near)                                                       \
	"	movq %%fs:%c[cursor_near] + 8 * " #near "(%%r11), %%r10\n"             \
	"	testq %%r10, %%r10\n"                                                  \
	"	je 2f\n"
#define QUESTION_SLOT_FAR QUESTION_FAR_SLOT
#define QUESTION_SLOT_0   QUESTION_NEAR_SLOT(0)
#define QUESTION_SLOT_1   QUESTION_NEAR_SLOT(1)
#define QUESTION_SLOT_2   QUESTION_NEAR_SLOT(2)
#define QUESTION_SLOT_3   QUESTION_NEAR_SLOT(3)
#define QUESTION_REAL_FAR "vprof_real + 8 * %c[id](%%rip)"
#define QUESTION_REAL_0   "vprof_state + %c[near] + 8 * 0(%%rip)"
#define QUESTION_REAL_1   "vprof_state + %c[near] + 8 * 1(%%rip)"
#define QUESTION_REAL_2   "vprof_state + %c[near] + 8 * 2(%%rip)"
#define QUESTION_REAL_3   "vprof_state + %c[near] + 8 * 3(%%rip)"
#define QUESTION_PLACE_FAR section("vprof_wrappers"), aligned(64)
#define QUESTION_PLACE_0   section(".text.vprof_near"), aligned(1024)
#define QUESTION_PLACE_1   section(".text.vprof_near"), aligned(64)
#define QUESTION_PLACE_2   section(".text.vprof_near"), aligned(64)
#define QUESTION_PLACE_3   section(".text.vprof_near"), aligned(64)

#define QUESTION(name, N) QUESTION_AT(name, N, CU_NEAR(name))
#define QUESTION_AT(name, N, near) QUESTION_OF(name, N, near)
#define QUESTION_OF(name, N, at)                                                       \
	EXPORT CUresult name(void);                                                    \
	__attribute__((naked, QUESTION_PLACE_##at)) CUresult name(void)                \
	{                                                                              \
		__asm__("	movl vprof_guard(%%rip), %%eax\n"                           \
			/* Their bit as the sign: above 0 are all words that are to be counted. */ \
			"	roll $31 - %c[group], %%eax\n"                             \
			"	testl %%eax, %%eax\n"                                      \
			"	jle 9f\n"                                                  \
			"	movq vprof_state + %c[cursor](%%rip), %%r11\n"             \
			"	testq %%r11, %%r11\n"                                      \
			"	je 2f\n"                                                   \
			QUESTION_SLOT_##at                                             \
			"	incq %c[count](%%r10)\n"                                   \
			"	testb %[timed] - 1, %c[count](%%r10)\n"                    \
			"	je 6f\n"                                                   \
			"7:	pushq %%rax\n" /* for the stack's alignment */             \
			"	.cfi_adjust_cfa_offset 8\n"                                \
			"	call *" QUESTION_REAL_##at "\n"                            \
			"	popq %%rcx\n"                                              \
			"	.cfi_adjust_cfa_offset -8\n"                               \
			"	testl %%eax, %%eax\n"                                      \
			"	jne 5f\n"                                                  \
			"	ret\n"                                                     \
			"9:	js 4f\n"                                                   \
			"	movq " QUESTION_REAL_##at ", %%rax\n"                      \
			"	testq %%rax, %%rax\n"                                      \
			"	je 3f\n"                                                   \
			"	jmp *%%rax\n"                                              \
			QUESTION_LEAVE(4, "record_", N)                                \
			/* One in so many says when it was, and tells the lane of all before it. */ \
			"6:	movq %%fs:%c[counts](%%r11), %%rax\n"                      \
			"	movq %c[lane](%%rax), %%rax\n"                             \
			"	addq %[timed], %c[queries](%%rax)\n"                       \
			"	testl %[clock], vprof_state + %c[slow](%%rip)\n"           \
			"	jne 7b\n"                                                  \
			"	movq %%rdx, %%r11\n"                                       \
			"	rdtsc\n"                                                   \
			"	shlq $32, %%rdx\n"                                         \
			"	orq %%rdx, %%rax\n"                                        \
			"	subq %c[t0](%%r10), %%rax\n"                               \
			"	movq %%rax, %c[last](%%r10)\n"                             \
			"	movq %%r11, %%rdx\n"                                       \
			"	jmp 7b\n"                                                  \
			QUESTION_LEAVE(2, "count_", N)                                 \
			QUESTION_LEAVE(3, "off_", N)                                   \
			"5:	movl %[id], %%edi\n"                                       \
			"	movl %%eax, %%esi\n"                                       \
			"	jmp vprof_count_failed\n" ::                               \
			[id] "i"(CU_ID_##name), [group] "i"(VPROF_GROUP_QUERY),        \
			[timed] "i"(VPROF_QUERIES_TIMED),                              \
			[cursor] "i"(offsetof(struct vprof_state, cursor)),            \
			[slow] "i"(offsetof(struct vprof_state, slow)), [clock] "i"(VPROF_SLOW_CLOCK), \
			[near] "i"(offsetof(struct vprof_state, near)),                \
			[cursor_near] "i"(offsetof(struct vprof_cursor, near)),        \
			[counts] "i"(offsetof(struct vprof_cursor, counts)),           \
			[lane] "i"(offsetof(struct vprof_counts, lane)),               \
			[slot] "i"(offsetof(struct vprof_counts, slot[CU_QUERY_##name])), \
			[count] "i"(offsetof(struct vprof_slot, queries.count)),       \
			[last] "i"(offsetof(struct vprof_slot, queries.last)),         \
			[t0] "i"(offsetof(struct vprof_slot, t0)),                     \
			[queries] "i"(offsetof(struct vprof_lane, queries)));          \
	}

#endif
#endif
