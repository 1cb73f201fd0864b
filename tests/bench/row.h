/*
 * row.h - one line of `make bench`: name, value, unit, anchor, ratio, target, verdict.
 */
#ifndef TESTS_BENCH_ROW_H
#define TESTS_BENCH_ROW_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static inline double bench_clock(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* The counter that the anchor reads twice. */
static inline uint64_t bench_ticks(void)
{
#if defined(__x86_64__)
	return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
	uint64_t ticks;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
	return ticks;
#endif
}

/* The same; orders what comes before against what comes after, the counter included. */
static inline uint64_t bench_ticks_fenced(void)
{
	uint64_t ticks;

#if defined(__x86_64__)
	__asm__ volatile("lfence" ::: "memory");
	ticks = bench_ticks();
	__asm__ volatile("lfence" ::: "memory");
#else
	__asm__ volatile("isb" ::: "memory");
	ticks = bench_ticks();
	__asm__ volatile("isb" ::: "memory");
#endif
	return ticks;
}

/* The anchor of a record, number `i` of a buffer of so many lines: what one costs at least, two readings and a line. */
static inline void bench_anchor(uint64_t *buffer, size_t lines, size_t i)
{
	uint64_t t0 = bench_ticks(), t1 = bench_ticks();
	volatile uint64_t *line = buffer + i % lines * 8;

	line[0] = i;
	line[1] = t0;
	line[2] = t1;
	for (int k = 3; k < 8; k++)
		line[k] = i;
}

static inline double bench_ns_per_tick(void)
{
	double start = bench_clock(CLOCK_MONOTONIC);
	uint64_t ticks = bench_ticks();

	usleep(50000);
	return (bench_clock(CLOCK_MONOTONIC) - start) / (double)(bench_ticks() - ticks);
}

static inline int bench_compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Sorts `values`. */
static inline double bench_quantile(double *values, size_t count, double q)
{
	qsort(values, count, sizeof(*values), bench_compare);
	return values[(size_t)(q * (double)(count - 1) + 0.5)];
}

static inline double bench_median(double *values, size_t count)
{
	return bench_quantile(values, count, 0.5);
}

/* A figure against an anchor: `target` is the highest ratio that is right. */
static inline void bench_ratio(const char *name, double value, const char *unit, double anchor, double target)
{
	double ratio = value / anchor;

	printf("%s\t%.4g\t%s\t%.4g\t%.3f\t<=%.4g\t%s\n", name, value, unit, anchor, ratio, target,
	       ratio <= target ? "ok" : "short");
	fflush(stdout);
}

/* A figure with a bound of its own: `limit` in the same unit. */
static inline void bench_limit(const char *name, double value, const char *unit, double limit)
{
	printf("%s\t%.4g\t%s\t%.4g\t%.3f\t<=1\t%s\n", name, value, unit, limit, value / limit,
	       value <= limit ? "ok" : "short");
	fflush(stdout);
}

/* A figure shown beside others, without a target of its own. */
static inline void bench_info(const char *name, double value, const char *unit, double anchor)
{
	printf("%s\t%.4g\t%s\t%.4g\t%.3f\t-\t-\n", name, value, unit, anchor, value / anchor);
	fflush(stdout);
}

#endif
