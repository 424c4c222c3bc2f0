//go:build !purego

#include "textflag.h"

// Two tables tell what kind of byte one is, by its upper and its lower four bits: a kind is a bit that it has in both.
//   0x80  the control characters
//   0x10, 0x20  the digits of hexadecimal numbers: 0 to 9; A to F and a to f
//   0x01, 0x02, 0x04, 0x08  what makes an escape of two behind a backslash: " and /; \; b, f and n; r and t
DATA upper<>+0(SB)/8, $0x0824022010018080
DATA upper<>+8(SB)/8, $0
GLOBL upper<>(SB), RODATA|NOPTR, $16
DATA lower<>+0(SB)/8, $0x90b4b0b8b0bdb090
DATA lower<>+8(SB)/8, $0x8184808280809090
GLOBL lower<>(SB), RODATA|NOPTR, $16

DATA slash<>+0(SB)/1, $'\\'
GLOBL slash<>(SB), RODATA|NOPTR, $1
DATA quote<>+0(SB)/1, $'"'
GLOBL quote<>(SB), RODATA|NOPTR, $1
DATA u<>+0(SB)/1, $'u'
GLOBL u<>(SB), RODATA|NOPTR, $1
DATA four<>+0(SB)/1, $0x0f
GLOBL four<>(SB), RODATA|NOPTR, $1

// KINDS puts the kinds of 32 bytes into a register.
#define KINDS(bytes, kinds) \
	VPSRLW  $4, bytes, Y4 \
	VPAND   Y12, Y4, Y4   \
	VPAND   Y12, bytes, Y5 \
	VPSHUFB Y4, Y8, Y4    \
	VPSHUFB Y5, Y9, Y5    \
	VPAND   Y4, Y5, kinds

// HEX makes the kinds of 32 bytes those whose highest bits tell the hexadecimal digits.
#define HEX(kinds) \
	VPSLLW $3, kinds, Y4     \
	VPSLLW $2, kinds, kinds  \
	VPOR   Y4, kinds, kinds

// MARKS puts the highest bits of twice 32 bytes into a register, one bit for each.
#define MARKS(first, second, marks) \
	VPMOVMSKB first, marks \
	VPMOVMSKB second, R8   \
	SHLQ      $32, R8      \
	ORQ       R8, marks

// EQUAL puts marks of those of the 64 bytes in Y0 and Y1 into a register that are the one in another.
#define EQUAL(to, marks) \
	VPCMPEQB to, Y0, Y4 \
	VPCMPEQB to, Y1, Y5 \
	MARKS(Y4, Y5, marks)

// func plainAVX2(b []byte) int
TEXT ·plainAVX2(SB), NOSPLIT, $0-32
	MOVQ           b_base+0(FP), SI
	MOVQ           b_len+8(FP), DX
	VBROADCASTI128 upper<>(SB), Y8
	VBROADCASTI128 lower<>(SB), Y9
	VPBROADCASTB   slash<>(SB), Y10
	VPBROADCASTB   quote<>(SB), Y11
	VPBROADCASTB   four<>(SB), Y12
	VPXOR          Y13, Y13, Y13
	MOVQ           $0xaaaaaaaaaaaaaaaa, R11

next:
	CMPQ    DX, $64
	JLT     done
	VMOVDQU (SI), Y0
	VMOVDQU 32(SI), Y1
	KINDS(Y0, Y2)
	KINDS(Y1, Y3)
	EQUAL(Y10, AX)
	EQUAL(Y11, BX)
	MARKS(Y2, Y3, CX)
	XORQ    R12, R12
	TESTQ   AX, AX
	JZ      bare

	// R9: what a backslash escapes, the second of each two that follow each other, and what follows an odd number of them.
	// Subtraction carries through a row of bits (as simdjson does it, Langdale and Lemire 2019).
	LEAQ (AX)(AX*1), R9
	ORQ  R11, R9
	SUBQ AX, R9
	XORQ R11, R9
	XORQ AX, R9

	// R10: what is escaped, and makes no escape of two. R12: where the block's end cuts an escape off.
	VPAND    Y12, Y2, Y4
	VPAND    Y12, Y3, Y5
	VPCMPEQB Y13, Y4, Y4
	VPCMPEQB Y13, Y5, Y5
	MARKS(Y4, Y5, R10)
	MOVQ     R9, R12
	NOTQ     R12
	ANDQ     R12, BX
	ANDQ     AX, R12
	SHRQ     $63, R12
	SHLQ     $63, R12
	ANDQ     R9, R10
	JNZ      six

bare:
	// An end is a quote, a control character, or the backslash of an escape that is none.
	ORQ   BX, CX
	JNZ   last
	TESTQ R12, R12
	JNZ   cut
	ADDQ  $64, SI // by a constant: the processor begins with the next block before it is done with this one
	SUBQ  $64, DX
	JMP   next

cut:
	TZCNTQ R12, AX
	ADDQ   AX, SI
	SUBQ   AX, DX
	JMP    next

six:
	// A u with four digits is no end; one without room for them is where the next block begins.
	VPBROADCASTB u<>(SB), Y6
	EQUAL(Y6, R13)
	ANDQ R10, R13
	HEX(Y2)
	HEX(Y3)
	MARKS(Y2, Y3, AX)
	MOVQ AX, R8
	SHRQ $1, R8
	ANDQ R8, AX
	MOVQ AX, R8
	SHRQ $2, R8
	ANDQ R8, AX
	SHRQ $1, AX
	ANDQ R13, AX
	XORQ AX, R10
	MOVQ R13, R8
	XORQ AX, R8
	SHRQ $60, R8
	SHLQ $60, R8
	XORQ R8, R10
	SHRQ $1, R8
	ORQ  R8, R12
	SHRQ $1, R10
	ORQ  R10, CX
	JMP  bare

last:
	ORQ    R12, CX
	TZCNTQ CX, AX
	ADDQ   AX, SI

done:
	VZEROUPPER
	SUBQ b_base+0(FP), SI
	MOVQ SI, ret+24(FP)
	RET
