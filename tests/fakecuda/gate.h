/* gate.h - the driver's life in this process (gate.c). */
#ifndef FAKECUDA_GATE_H
#define FAKECUDA_GATE_H

#include "tests/fakecuda/fake.h"

CUresult fk_gate_init(void); /* cuInit */
void fk_inject(void); /* inject.c: what the first cuInit loads */

#endif
