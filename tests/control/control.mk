# Control from outside: a program that does as it is told, and a controller by hand.
CONTROL_PROGRAMS := $(BUILD)/control/worker $(BUILD)/control/ctl

$(CONTROL_PROGRAMS): $(BUILD)/control/%: tests/control/%.c
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CSTD) $(CFLAGS) -MF $@.d $< -o $@ $(LDFLAGS) -ldl -lpthread

TEST_NEEDS += $(CONTROL_PROGRAMS)
