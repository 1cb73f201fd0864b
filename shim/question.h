/*
 * question.h - the wrapper of a function that only asks, in assembly.
 *
 * Programs ask hundreds of times in a step, and do so much in between that the cost is not what is
 * done but how much is touched: lines of code and of data, and jumps. So such a function has all of
 * it for itself, side by side, and leaves by a jump of its own: with nothing recorded from its first
 * line of code, counted without a call to anything of ours. (As C, shared by all functions of so many
 * arguments, it was four jumps, which a processor that has been elsewhere does not foresee.)
 *
 * A slot is kept for as long as the thread may count there (count.c), so nothing else is asked. A call
 * is counted as it is made. The first ones, each that is timed, and what has to be found
 * out go the way in C: count_N, off_N, record_N of wrap_plain.c; one that failed is told to
 * vprof_count_failed().
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

#define QUESTION(name, N)                                                              \
	EXPORT CUresult name(void);                                                    \
	__attribute__((naked, aligned(64))) WRAPPER CUresult name(void)                \
	{                                                                              \
		__asm__("	movq vprof_state(%%rip), %%rax\n"                          \
			"	movl (%%rax), %%eax\n"                                     \
			"	testl %%eax, %%eax\n"                                      \
			"	jne 1f\n"                                                  \
			"	movq vprof_real + 8 * %c[id](%%rip), %%rax\n"              \
			"	testq %%rax, %%rax\n"                                      \
			"	je 3f\n"                                                   \
			"	jmp *%%rax\n"                                              \
			"1:	testl %[bit], %%eax\n"                                     \
			"	jne 4f\n"                                                  \
			"	movq vprof_cursor@gottpoff(%%rip), %%rax\n"                \
			"	movq %%fs:%c[counts](%%rax), %%rax\n"                      \
			"	testq %%rax, %%rax\n"                                      \
			"	je 2f\n"                                                   \
			"	movq %c[slot](%%rax), %%r11\n"                             \
			"	testq %%r11, %%r11\n"                                      \
			"	je 2f\n"                                                   \
			"	movl %c[count](%%r11), %%r10d\n"                           \
			"	incl %%r10d\n"                                             \
			"	cmpl %[timed], %%r10d\n"                                   \
			"	jbe 2f\n"                                                  \
			"	testl %[timed] - 1, %%r10d\n"                              \
			"	je 2f\n"                                                   \
			"	incq %c[count](%%r11)\n"                                   \
			"	subq $8, %%rsp\n"                                          \
			"	.cfi_adjust_cfa_offset 8\n"                                \
			"	call *vprof_real + 8 * %c[id](%%rip)\n"                    \
			"	addq $8, %%rsp\n"                                          \
			"	.cfi_adjust_cfa_offset -8\n"                               \
			"	testl %%eax, %%eax\n"                                      \
			"	jne 5f\n"                                                  \
			"	ret\n"                                                     \
			QUESTION_LEAVE(2, "count_", N)                                 \
			QUESTION_LEAVE(3, "off_", N)                                   \
			QUESTION_LEAVE(4, "record_", N)                                \
			"5:	movl %[id], %%edi\n"                                       \
			"	movl %%eax, %%esi\n"                                       \
			"	jmp vprof_count_failed\n" ::                               \
			[id] "i"(CU_ID_##name), [bit] "i"(CU_BIT_##name),              \
			[timed] "i"(VPROF_QUERIES_TIMED),                              \
			[counts] "i"(offsetof(struct vprof_cursor, counts)),           \
			[lane] "i"(offsetof(struct vprof_counts, lane)),               \
			[slot] "i"(offsetof(struct vprof_counts, slot[CU_QUERY_##name])), \
			[count] "i"(offsetof(struct vprof_slot, queries.count)),       \
			[queries] "i"(offsetof(struct vprof_lane, queries)));          \
	}

#endif
#endif
