	.globl	frame
frame:
	pushq	%rbp
	movq	%rsp, %rbp
.LBB0_1:
	vbroadcastss	(%rdi,%rax), %ymm5
	vbroadcastss	4(%rdi,%rax), %ymm6
	vmovups	-64(%rbp), %ymm7
	vfmadd231ps	%ymm5, %ymm7, %ymm0
	vfmadd231ps	%ymm5, %ymm7, %ymm1
	vfmadd231ps	%ymm6, %ymm7, %ymm2
	vfmadd231ps	%ymm6, %ymm7, %ymm3
	addq	$4, %rax
	jne	.LBB0_1
	retq
	.globl	pointer
pointer:
.LBB1_1:
	vmovups	(%rbp), %zmm7
	vfmadd231ps	(%rdi,%rax){1to16}, %zmm7, %zmm0
	vfmadd231ps	4(%rdi,%rax){1to16}, %zmm7, %zmm1
	vfmadd231ps	64(%rsp,%rax){1to16}, %zmm7, %zmm2
	vfmadd231ps	68(%rsp,%rax){1to16}, %zmm7, %zmm3
	addq	$64, %rbp
	cmpq	%rbp, %rcx
	jne	.LBB1_1
	vmovups	%zmm0, 32(%rsp)
	retq
	.globl	slot
slot:
.LBB2_1:
	vmovapd	(%rsi), %zmm7
	vfmadd231pd	(%rdi,%rax){1to8}, %zmm7, %zmm0
	vfmadd231pd	4(%rdi,%rax){1to8}, %zmm7, %zmm1
	vfmadd231pd	(%rdx,%rax){1to8}, %zmm7, %zmm2
	vfmadd231pd	4(%rdx,%rax){1to8}, %zmm7, %zmm3
	vmovupd	%zmm3, 128(%rsp)                # 64-byte Spill
	jne	.LBB2_1
	retq
	.globl	stored
stored:
.LBB3_1:
	vbroadcastss	(%rdi,%rax), %ymm5
	vbroadcastss	4(%rdi,%rax), %ymm6
	vfmadd231ps	(%rsi), %ymm5, %ymm0
	vfmadd231ps	(%rsi), %ymm5, %ymm1
	vfmadd231ps	(%rsi), %ymm6, %ymm2
	vfmadd231ps	(%rsi), %ymm6, %ymm3
	vmovups	%ymm2, (%r8,%rax)
	jb	.LBB3_1
	retq
	.globl	polynomial
polynomial:
.LBB4_1:
	vbroadcastss	(%rdi,%rax), %ymm5
	vbroadcastss	(%rdi,%rax), %ymm6
	vfmadd231ps	8(%rsp), %ymm5, %ymm0
	vfmadd231ps	8(%rsp), %ymm5, %ymm0
	vfmadd231ps	8(%rsp), %ymm6, %ymm0
	vfmadd231ps	8(%rsp), %ymm6, %ymm0
	jb	.LBB4_1
	retq
