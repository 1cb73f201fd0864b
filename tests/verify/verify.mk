# vprof verify: the recorder of CUPTI's activities, beside a libcupti of our own.
$(BUILD)/gpu/cupti_times.so: tests/gpu/cupti_times.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CSTD) $(CFLAGS) -fPIC -shared -fvisibility=hidden -MF $@.d $< -o $@ $(LDFLAGS) -ldl -lpthread

$(BUILD)/verify/libcupti.so: tests/verify/fake_cupti.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CSTD) $(CFLAGS) -fPIC -shared -MF $@.d $< -o $@ $(LDFLAGS)

TEST_NEEDS += $(BUILD)/verify/libcupti.so $(BUILD)/gpu/cupti_times.so
