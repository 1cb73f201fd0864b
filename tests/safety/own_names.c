/*
 * own_names.c - a program with a library of its own (OWN_LIBRARY) that has functions by the names
 * of the driver's, and that never loads the driver.
 */
#include <stdio.h>

int cuProfilerStart(void);
long cuLaunch(long number);

#ifdef OWN_LIBRARY
int cuProfilerStart(void)
{
	return 42;
}

long cuLaunch(long number)
{
	return number * 2;
}
#else
int main(void)
{
	for (int i = 0; i < 2; i++)
		printf("%d %ld\n", cuProfilerStart(), cuLaunch(1l << 40));
	return 0;
}
#endif
