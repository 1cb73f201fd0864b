/* rules.h - failures and hangs asked for by the environment (config.c). */
#ifndef FAKECUDA_RULES_H
#define FAKECUDA_RULES_H

#include "tests/fakecuda/fake.h"

/* What this call of `symbol` must return, if a rule says so; may never return. */
CUresult fk_rules_apply(const char *symbol);

#endif
