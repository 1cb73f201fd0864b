# What a program under the preload must not notice, and what a kill must not cost.
SAFETY          := $(BUILD)/safety
SAFETY_CFLAGS   := $(CSTD) $(CFLAGS)
SAFETY_PROGRAMS := launcher calls
SAFETY_LINKED   := calls-plt
SAFETY_NEEDS    := $(addprefix $(SAFETY)/,$(SAFETY_PROGRAMS) $(SAFETY_LINKED) ring_check)
TEST_NEEDS      += $(SAFETY_NEEDS) $(BUILD)/fakecuda/libcuda.so.1

safety-programs: $(SAFETY_NEEDS)

$(addprefix $(SAFETY)/,$(SAFETY_PROGRAMS)): $(SAFETY)/%: tests/safety/%.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(SAFETY_CFLAGS) $< -o $@ $(LDFLAGS) -ldl -lpthread

$(addprefix $(SAFETY)/,$(SAFETY_LINKED)): $(SAFETY)/%-plt: tests/safety/%.c $(BUILD)/fakecuda/libcuda.so
	$(call say,CC,$< (plt))
	@mkdir -p $(@D)
	$(Q)$(CC) $(SAFETY_CFLAGS) -MF $@.d -DDRIVER_LINKED $< -o $@ $(LDFLAGS) -L$(BUILD)/fakecuda -lcuda -ldl -lpthread

$(SAFETY)/ring_check: tests/safety/ring_check.c $(wildcard tools/ring*.c) tools/text.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(SAFETY_CFLAGS) -MF $@.d $^ -o $@ $(LDFLAGS)

.PHONY: safety-programs
