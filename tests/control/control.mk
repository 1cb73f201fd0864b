# Control from outside: a program that does as it is told, and a controller by hand.
CONTROL_PROGRAMS := $(BUILD)/control/worker $(BUILD)/control/ctl

$(CONTROL_PROGRAMS): $(BUILD)/control/%: tests/control/%.c
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CSTD) $(CFLAGS) -MF $@.d $< -o $@ $(LDFLAGS) -ldl -lpthread

# A preload in front of ours, in whose world the time of day jumps, or no thread can be made.
$(BUILD)/control/world.so: tests/control/world.c
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CSTD) $(CFLAGS) -fPIC -shared -MF $@.d $< -o $@ $(LDFLAGS) -ldl

TEST_NEEDS += $(CONTROL_PROGRAMS) $(BUILD)/control/world.so
