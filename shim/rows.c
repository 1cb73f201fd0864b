/*
 * rows.c - cuda_api.def as tables that need no relocation.
 */
#include <stddef.h>
#include <string.h>
#include "shim/rows.h"

/* All names, one behind the other. */
struct names {
	char none[1];
#define CU_ROW(symbol, base, version, flags, family, style, nargs) char symbol[sizeof(#symbol)];
#include "shim/cuda_api.def"
};
_Static_assert(sizeof(struct names) <= UINT16_MAX, "offsets of names are 16 bits");

/* Elsewhere they are one array of characters. */
const struct names vprof_row_each __asm__("vprof_row_names") HIDDEN = {
#define CU_ROW(symbol, base, version, flags, family, style, nargs) .symbol = #symbol,
#include "shim/cuda_api.def"
};

const struct vprof_row vprof_rows[CU_ID_COUNT] = {
#define ROW(symbol, base, version, flags, family, style, alias) \
	[CU_ID_##symbol] = { offsetof(struct names, symbol), version, sizeof(#base) - 1, flags, \
			     VPROF_FAMILY_##family, STYLE_##style, alias },
#define CU_ROW(symbol, base, version, flags, family, style, nargs) ROW(symbol, base, version, flags, family, style, 0)
#define CU_ALIAS(symbol, base, version, flags, family, style, nargs) ROW(symbol, base, version, flags, family, style, 1)
#include "shim/cuda_api.def"
};

/* A C compiler has no initializer for a distance. */
__asm__(".pushsection .rodata\n"
	".p2align 2\n"
	".globl vprof_row_wrappers\n"
	".hidden vprof_row_wrappers\n"
	".type vprof_row_wrappers, %object\n"
	"vprof_row_wrappers:\n"
	".long 0\n"
#define CU_ROW(symbol, base, version, flags, family, style, nargs) ".long " #symbol " - .\n"
#include "shim/cuda_api.def"
	".size vprof_row_wrappers, . - vprof_row_wrappers\n"
	".popsection\n");

int vprof_row_has_base(unsigned id, const char *base)
{
	size_t length = vprof_rows[id].base_length;

	return !strncmp(vprof_row_symbol(id), base, length) && !base[length];
}
