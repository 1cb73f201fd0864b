/*
 * vfork_x86_64.S - vfork, with a mark while the child runs in our memory.
 *
 * The child returns first, on the parent's stack, and overwrites the return address
 * when it calls anything; so the address is kept in a register across the system call (the
 * kernel keeps each side's registers apart) and pushed back for each side.
 */
	.text
	.globl	vfork
	.type	vfork, @function
	.align	16
vfork:
	.cfi_startproc
	endbr64
	popq	%rdi
	.cfi_adjust_cfa_offset -8
	.cfi_register rip, rdi
	movl	$58, %eax		/* __NR_vfork */
	syscall
	pushq	%rdi
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset rip, 0
	testl	%eax, %eax
	jz	1f
	pushq	%rax
	.cfi_adjust_cfa_offset 8
	call	vprof_vfork_parent
	popq	%rax
	.cfi_adjust_cfa_offset -8
	cmpl	$-4095, %eax
	jae	2f
	ret
1:	subq	$8, %rsp
	.cfi_adjust_cfa_offset 8
	call	vprof_vfork_child
	addq	$8, %rsp
	.cfi_adjust_cfa_offset -8
	xorl	%eax, %eax
	ret
2:	pushq	%rax
	.cfi_adjust_cfa_offset 8
	call	__errno_location@PLT
	popq	%rdx
	.cfi_adjust_cfa_offset -8
	negl	%edx
	movl	%edx, (%rax)
	movl	$-1, %eax
	ret
	.cfi_endproc
	.size	vfork, .-vfork

	.section .note.GNU-stack,"",@progbits
