/*
 * refuse.c - the sentence of refuse.h.
 */
#include "tools/refuse.h"

#include <stdarg.h>
#include <stdio.h>

int refuse(int error, char *why, size_t why_size, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, why_size, format, args);
	va_end(args);
	return error;
}
