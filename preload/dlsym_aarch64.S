/*
 * dlsym_aarch64.S - dlsym and dlvsym in front of libc's; see dlsym_x86_64.S.
 */
	.text

	.macro save_arguments
	stp	x29, x30, [sp, #-48]!
	.cfi_adjust_cfa_offset 48
	.cfi_rel_offset x29, 0
	.cfi_rel_offset x30, 8
	stp	x0, x1, [sp, #16]
	str	x2, [sp, #32]
	.endm

	/* keeps x9 */
	.macro restore_arguments
	ldp	x0, x1, [sp, #16]
	ldr	x2, [sp, #32]
	ldp	x29, x30, [sp], #48
	.cfi_adjust_cfa_offset -48
	.cfi_restore x29
	.cfi_restore x30
	.endm

	.macro lookup_entry name, real, ours
	.globl	\name
	.type	\name, %function
	.align	4
\name:
	.cfi_startproc
	hint	#34			/* bti c */
	cbz	x1, 1f
	ldrb	w9, [x1]
	cmp	w9, #'c'
	b.ne	1f
	ldrb	w9, [x1, #1]
	cmp	w9, #'u'
	b.ne	1f
	ldrb	w9, [x1, #2]
	sub	w9, w9, #'A'
	cmp	w9, #25
	b.hi	1f
	save_arguments
	mov	x2, x30			/* who asks: the return address */
	bl	vprof_lookup_takes
	mov	w9, w0
	restore_arguments
	cbnz	w9, 3f
1:	adrp	x9, \real
	ldr	x9, [x9, #:lo12:\real]
	cbz	x9, 2f
	br	x9
2:	save_arguments
	bl	vprof_lookup_init
	restore_arguments
	adrp	x9, \real
	ldr	x9, [x9, #:lo12:\real]
	br	x9
3:	b	\ours
	.cfi_endproc
	.size	\name, .-\name
	.endm

	lookup_entry dlsym, vprof_real_dlsym, vprof_lookup_dlsym
	lookup_entry dlvsym, vprof_real_dlvsym, vprof_lookup_dlvsym

	.section .note.GNU-stack,"",%progbits
