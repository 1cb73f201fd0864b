/*
 * log.c - one line on stderr for each real problem.
 *
 * Formats by itself (%s %d %u) into a buffer on the stack and writes it with one
 * write(): stdio could allocate, lock or flush the program's own output.
 */
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>
#include "preload/config.h"
#include "preload/inner.h"

struct line {
	char text[2048];
	size_t length;
};

static void put(struct line *line, const char *text)
{
	size_t length = strlen(text), room = sizeof(line->text) - 1 - line->length;

	if (length > room)
		length = room;
	memcpy(line->text + line->length, text, length);
	line->length += length;
}

static void put_number(struct line *line, uint64_t n)
{
	char digits[21], *p = digits + sizeof(digits) - 1;

	*p = 0;
	do
		*--p = (char)('0' + n % 10);
	while (n /= 10);
	put(line, p);
}

static void put_value(struct line *line, char conversion, va_list *args)
{
	int d;

	switch (conversion) {
	case 's':
		put(line, va_arg(*args, const char *));
		break;
	case 'd':
		d = va_arg(*args, int);
		if (d < 0)
			put(line, "-");
		put_number(line, d < 0 ? -(uint64_t)d : (uint64_t)d);
		break;
	case 'u':
		put_number(line, va_arg(*args, unsigned));
		break;
	}
}

void vprof_log(const char *format, ...)
{
	struct line line = { .length = 0 };
	int saved = errno;
	ssize_t written;
	va_list args;

	if (vprof_config.quiet)
		return;
	put(&line, "vprof: pid ");
	put_number(&line, (uint64_t)getpid());
	put(&line, ": ");
	va_start(args, format);
	for (; *format; format++) {
		char one[2] = { *format, 0 };

		if (*format == '%')
			put_value(&line, *++format, &args);
		else
			put(&line, one);
	}
	va_end(args);
	line.text[line.length++] = '\n';
	written = write(STDERR_FILENO, line.text, line.length);
	(void)written;
	errno = saved;
}
