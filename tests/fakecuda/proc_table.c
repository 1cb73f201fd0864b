/*
 * proc_table.c - the rows of proc.def, with addresses.
 *
 * Apart from proc.c because the functions are declared here without their types.
 */
#include "tests/fakecuda/proc.h"

#define P(base, version, symbol) extern char symbol[];
#define T(base, version, symbol) extern char symbol[];
#define X(base, version, symbol)
#include "tests/fakecuda/proc.def"
#undef P
#undef T
#undef X

const struct fk_row fk_rows[] = {
#define P(base, version, symbol) { #base, version, false, symbol },
#define T(base, version, symbol) { #base, version, true, symbol },
#define X(base, version, symbol) { #base, version, false, (const void *)symbol },
#include "tests/fakecuda/proc.def"
};
const size_t fk_row_count = sizeof(fk_rows) / sizeof(fk_rows[0]);
