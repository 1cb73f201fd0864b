/*
 * vfork_aarch64.S - vfork, with a mark while the child runs in our memory.
 *
 * The child returns first, on the parent's stack; the return address stays in a register
 * across the system call (the kernel keeps each side's registers apart), and what each side
 * saves on the stack lies below the parent's stack pointer.
 */
	.text
	.globl	vfork
	.type	vfork, %function
	.align	4
vfork:
	.cfi_startproc
	hint	#34			/* bti c */
	mov	x0, #0x4111		/* CLONE_VFORK | CLONE_VM | SIGCHLD */
	mov	x1, #0
	mov	x8, #220		/* __NR_clone */
	svc	#0
	stp	x0, x30, [sp, #-16]!
	.cfi_adjust_cfa_offset 16
	.cfi_rel_offset x30, 8
	cbz	x0, 1f
	bl	vprof_vfork_parent
	ldp	x0, x30, [sp], #16
	.cfi_remember_state
	.cfi_adjust_cfa_offset -16
	.cfi_restore x30
	cmn	x0, #4095
	b.hs	2f
	ret
	.cfi_restore_state
1:	bl	vprof_vfork_child
	ldp	x0, x30, [sp], #16
	.cfi_remember_state
	.cfi_adjust_cfa_offset -16
	.cfi_restore x30
	mov	x0, #0
	ret
2:	stp	x0, x30, [sp, #-16]!
	.cfi_adjust_cfa_offset 16
	.cfi_rel_offset x30, 8
	bl	__errno_location
	ldp	x1, x30, [sp], #16
	.cfi_adjust_cfa_offset -16
	.cfi_restore x30
	neg	w1, w1
	str	w1, [x0]
	mov	x0, #-1
	ret
	.cfi_endproc
	.size	vfork, .-vfork

	.section .note.GNU-stack,"",%progbits
