/*
 * facts.h - what a kernel needs: registers, shared memory, parameters.
 */
#ifndef VPROF_SHIM_FACTS_H
#define VPROF_SHIM_FACTS_H

#include <stdint.h>
#include "preload/compiler.h"

/*
 * Asks the driver about a function that has been launched, and defines what it says for the
 * kernel with this definition. `library`: the handle is a CUkernel.
 */
void vprof_facts_take(uint32_t kernel, void *handle, int library) HIDDEN COLD;

#endif
