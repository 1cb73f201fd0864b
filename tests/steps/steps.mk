# Programs with and without steps, on the fake driver.
$(BUILD)/steps/loops: tests/steps/loops.c
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CSTD) $(CFLAGS) -MF $@.d $< -o $@ $(LDFLAGS) -ldl -lpthread

TEST_NEEDS += $(BUILD)/steps/loops
