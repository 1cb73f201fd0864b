/*
 * dlsym_x86_64.S - dlsym and dlvsym in front of libc's.
 *
 * libc tells who is asking from the return address, and RTLD_NEXT and RTLD_DEFAULT
 * depend on it. So a lookup that is none of ours leaves as it came, with a jump: the
 * callee returns straight to the caller. Only names that begin with "cu" and a capital
 * are shown to vprof_lookup_takes(); what it takes goes to C, with a jump as well.
 */
	.text

/* name in %rsi; jumps to 1f unless it looks like a driver function's */
	.macro cuda_name_or_pass
	testq	%rsi, %rsi
	jz	1f
	cmpb	$'c', (%rsi)
	jne	1f
	cmpb	$'u', 1(%rsi)
	jne	1f
	movzbl	2(%rsi), %eax
	subl	$'A', %eax
	cmpl	$25, %eax
	ja	1f
	.endm

	/* \real: pointer to the next one, 0 until vprof_lookup_init; \ours: the C one */
	.macro lookup_entry name, real, ours
	.globl	\name
	.type	\name, @function
	.align	16
\name:
	.cfi_startproc
	endbr64
	cuda_name_or_pass
	pushq	%rdi
	pushq	%rsi
	pushq	%rdx
	.cfi_adjust_cfa_offset 24
	movq	24(%rsp), %rdx		/* who asks: the return address */
	call	vprof_lookup_takes
	popq	%rdx
	popq	%rsi
	popq	%rdi
	.cfi_adjust_cfa_offset -24
	testl	%eax, %eax
	jnz	\ours
1:	movq	\real(%rip), %rax
	testq	%rax, %rax
	jz	2f
	jmp	*%rax
2:	pushq	%rdi
	pushq	%rsi
	pushq	%rdx
	.cfi_adjust_cfa_offset 24
	call	vprof_lookup_init
	popq	%rdx
	popq	%rsi
	popq	%rdi
	.cfi_adjust_cfa_offset -24
	jmp	*\real(%rip)
	.cfi_endproc
	.size	\name, .-\name
	.endm

	lookup_entry dlsym, vprof_real_dlsym, vprof_lookup_dlsym
	lookup_entry dlvsym, vprof_real_dlvsym, vprof_lookup_dlvsym

	.section .note.GNU-stack,"",@progbits
