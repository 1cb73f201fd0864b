/*
 * client_api.c - finds the driver's functions by one of the ways programs do,
 * and counts calls.
 *
 * Built twice: as it is, and with CLIENT_PLT and linked to libcuda, which is
 * the only way to call through the PLT.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/fakecuda/client.h"

struct client_api client_api;
struct client_counts *client_counts;

static const struct {
	const char *name, *base;
	int version;
} names[] = {
#define API(name, base, version, ...) { #name, #base, version },
	CLIENT_API
#undef API
};

void client_result(const char *name, CUresult result)
{
	if (!result)
		return;
	fprintf(stderr, "client: %s returned %d\n", name, result);
	if (!client_options.keep_errors)
		_exit(1);
}

#ifdef CLIENT_PLT
#define API(name, base, version, ...) extern CUresult name(__VA_ARGS__);
CLIENT_API
#undef API

void client_api_resolve(enum client_via via)
{
	(void)via;
#define API(name, base, version, ...) client_api.name = name;
	CLIENT_API
#undef API
}
#else
typedef CUresult gpa1_fn(const char *, void **, int, uint64_t);
typedef CUresult gpa2_fn(const char *, void **, int, uint64_t, int *);

static void *lookup(void *driver, enum client_via via, int i)
{
	void *address = NULL;

	if (via == VIA_GPA)
		((gpa2_fn *)dlsym(driver, "cuGetProcAddress_v2"))(names[i].base, &address, names[i].version, 0, NULL);
	else if (via == VIA_GPA1)
		((gpa1_fn *)dlsym(driver, "cuGetProcAddress"))(names[i].base, &address, names[i].version, 0);
	else
		address = dlsym(driver, names[i].name);
	return address;
}

void client_api_resolve(enum client_via via)
{
	void *driver = dlopen("libcuda.so.1", RTLD_NOW);
	void *address[CALL_COUNT];

	if (!driver) {
		fprintf(stderr, "client: %s\n", dlerror());
		exit(1);
	}
	for (int i = 0; i < CALL_COUNT; i++) {
		address[i] = lookup(driver, via, i);
		if (!address[i]) {
			fprintf(stderr, "client: no %s\n", names[i].name);
			exit(1);
		}
	}
	memcpy(&client_api, address, sizeof(client_api));
}
#endif

void client_counts_open(const char *path)
{
	int flags = path ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS, fd = -1;

	if (path) {
		fd = open(path, O_RDWR | O_CREAT, 0600);
		if (fd < 0 || ftruncate(fd, sizeof(*client_counts))) {
			perror(path);
			exit(1);
		}
	}
	client_counts = mmap(NULL, sizeof(*client_counts), PROT_READ | PROT_WRITE, flags, fd, 0);
	if (client_counts == MAP_FAILED) {
		perror("client: counts");
		exit(1);
	}
	if (fd >= 0)
		close(fd);
}

int client_counts_show(const char *path)
{
	client_counts_open(path);
	for (int i = 0; i < CALL_COUNT; i++) {
		unsigned long begun = client_counts->call[i].begun;

		if (begun)
			printf("%s %lu %lu\n", names[i].name, begun, (unsigned long)client_counts->call[i].returned);
	}
	return 0;
}

/* In one write, so that lines of several processes do not mix. */
void client_counts_print(void)
{
	char text[8192];
	int n = snprintf(text, sizeof(text), "pid %d\n", (int)getpid());

	for (int i = 0; i < CALL_COUNT; i++) {
		unsigned long begun = client_counts->call[i].begun;

		if (begun)
			n += snprintf(text + n, sizeof(text) - (size_t)n, "%s %lu\n", names[i].name, begun);
	}
	if (write(STDOUT_FILENO, text, (size_t)n) != n)
		_exit(1);
}
