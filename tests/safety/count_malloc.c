/*
 * count_malloc.c - a preload that counts what a program takes from the heap, and says so on
 * descriptor 4 at exit.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

static unsigned long calls, bytes;

static void count(size_t size)
{
	__atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&bytes, size, __ATOMIC_RELAXED);
}

void *malloc(size_t size)
{
	count(size);
	return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	count(n * size);
	return __libc_calloc(n, size);
}

void *realloc(void *old, size_t size)
{
	count(size);
	return __libc_realloc(old, size);
}

__attribute__((destructor)) static void report(void)
{
	if (fcntl(4, F_GETFD) >= 0)
		dprintf(4, "%lu allocations, %lu bytes\n", calls, bytes);
}
