/*
 * run_report.h - what `vprof run` says at the end, on standard error.
 */
#ifndef VPROF_TOOLS_RUN_REPORT_H
#define VPROF_TOOLS_RUN_REPORT_H

#include "tools/env_options.h"
#include "tools/recorded.h"

/* One line: how many processes, records, launches, and what was lost. */
void run_report(const struct recorded *recorded);

/* The same where there are rings, and nothing in them. */
void run_report_off(const struct recorded *recorded);

/* Why there may be no ring of `program`, as a person would like to know; choice: what it was run with. */
void run_report_nothing(const char *program, const struct env_choice *choice);

#endif
