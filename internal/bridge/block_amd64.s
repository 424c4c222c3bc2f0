//go:build !purego

#include "textflag.h"

// Sixteen times the same byte.
DATA slash<>+0(SB)/8, $0x5c5c5c5c5c5c5c5c
DATA slash<>+8(SB)/8, $0x5c5c5c5c5c5c5c5c
GLOBL slash<>(SB), RODATA|NOPTR, $16
DATA quote<>+0(SB)/8, $0x2222222222222222
DATA quote<>+8(SB)/8, $0x2222222222222222
GLOBL quote<>(SB), RODATA|NOPTR, $16
DATA control<>+0(SB)/8, $0x1f1f1f1f1f1f1f1f
DATA control<>+8(SB)/8, $0x1f1f1f1f1f1f1f1f
GLOBL control<>(SB), RODATA|NOPTR, $16

// SIXTEEN puts the marks of the 16 bytes at an offset into R8 (backslashes), R9 (quotes) and R10 (control characters: those that
// the unsigned minimum of itself and 0x1f leaves as they are).
#define SIXTEEN(offset) \
	MOVOU    offset(SI), X0 \
	MOVO     X0, X1         \
	MOVO     X0, X2         \
	PCMPEQB  X5, X0         \
	PCMPEQB  X6, X1         \
	MOVO     X2, X3         \
	PMINUB   X7, X2         \
	PCMPEQB  X3, X2         \
	PMOVMSKB X0, R8         \
	PMOVMSKB X1, R9         \
	PMOVMSKB X2, R10

// BEFORE adds the marks of the 16 bytes at an offset to AX, BX and CX, which hold those of what follows them.
#define BEFORE(offset) \
	SIXTEEN(offset) \
	SHLQ $16, AX    \
	SHLQ $16, BX    \
	SHLQ $16, CX    \
	ORQ  R8, AX     \
	ORQ  R9, BX     \
	ORQ  R10, CX

// func blockMarks(b *[64]byte) (slashes, quotes, controls uint64)
TEXT ·blockMarks(SB), NOSPLIT, $0-32
	MOVQ b+0(FP), SI
	MOVOU slash<>(SB), X5
	MOVOU quote<>(SB), X6
	MOVOU control<>(SB), X7
	SIXTEEN(48)
	MOVQ R8, AX
	MOVQ R9, BX
	MOVQ R10, CX
	BEFORE(32)
	BEFORE(16)
	BEFORE(0)
	MOVQ AX, slashes+8(FP)
	MOVQ BX, quotes+16(FP)
	MOVQ CX, controls+24(FP)
	RET
