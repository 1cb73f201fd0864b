/*
 * auxv.c - walks past the NULL of main()'s environment, as programs that know of no getauxval()
 * do, and says what of the auxiliary vector lies there.
 */
#include <elf.h>
#include <stdio.h>
#include <sys/auxv.h>

int main(int argc, char **argv, char **environment)
{
	unsigned long entries = 0, page = 0, entry = 0;
	const Elf64_auxv_t *vector;

	(void)argc;
	(void)argv;
	while (*environment)
		environment++;
	for (vector = (const void *)(environment + 1); vector->a_type != AT_NULL; vector++) {
		entries++;
		if (vector->a_type == AT_PAGESZ)
			page = vector->a_un.a_val;
		if (vector->a_type == AT_ENTRY)
			entry = vector->a_un.a_val;
	}
	printf("%lu entries, pages of %lu bytes, entry %s\n", entries, page,
	       entry == getauxval(AT_ENTRY) ? "as libc has it" : "wrong");
	return 0;
}
