/*
 * config.h - the environment, read once.
 *
 * The constructor copies what it needs, because a process title set later
 * (setproctitle) overwrites the memory that the environment lies in.
 */
#ifndef VPROF_PRELOAD_CONFIG_H
#define VPROF_PRELOAD_CONFIG_H

#include <stdint.h>
#include "preload/inner.h"

/* One field for each row of env.def: a text's own copy, a number, 0 or 1, group bits, as the control page has it. */
struct vprof_config {
#define VPROF_ENV(name, type, field, initial, help) VPROF_ENV_##type(field)
#define VPROF_ENV_TEXT(field)   char field[1024];
#define VPROF_ENV_COUNT(field)  uint64_t field;
#define VPROF_ENV_SWITCH(field) uint64_t field;
#define VPROF_ENV_GROUPS(field) uint64_t field;
#define VPROF_ENV_SAMPLE(field) uint64_t field;
#define VPROF_ENV_WINDOW(field) struct vprof_gpu_window field;
#include "vprof/env.def"
#undef VPROF_ENV
#undef VPROF_ENV_TEXT
#undef VPROF_ENV_COUNT
#undef VPROF_ENV_SWITCH
#undef VPROF_ENV_GROUPS
#undef VPROF_ENV_SAMPLE
#undef VPROF_ENV_WINDOW
};

extern struct vprof_config vprof_config HIDDEN;

/* Reads the environment the first time it is called; any thread, no allocation. */
void vprof_config_read(void) HIDDEN;

/* From the constructor: reads it if there is anything for us in it. Else what it gets later makes no difference. */
void vprof_config_load(void) HIDDEN;

/*
 * Is every value the row's own, since there was nothing? Then vprof_config may be filled in only when there is a
 * ring, and who may come earlier asks this first.
 */
int vprof_config_is_initial(void) HIDDEN;

/* Says once what could not be understood. Called when the ring is made. */
void vprof_config_complain(void) HIDDEN;

#endif
