# vprof verify: the recorder of CUPTI's activities, beside a libcupti of our own; and the comparison alone.
$(BUILD)/gpu/cupti_times.so: tests/gpu/cupti_times.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CSTD) $(CFLAGS) -fPIC -shared -fvisibility=hidden -MF $@.d $< -o $@ $(LDFLAGS) -ldl -lpthread

$(BUILD)/verify/libcupti.so: tests/verify/fake_cupti.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CSTD) $(CFLAGS) -fPIC -shared -MF $@.d $< -o $@ $(LDFLAGS)

COMPARISONS := $(patsubst %,$(BUILD)/verify/%.t,compare merge)

$(COMPARISONS): $(BUILD)/verify/%.t: $(patsubst %,$(BUILD)/asan/%.o,tests/verify/%.c tools/verify.c tools/verify_rows.c)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ASAN_FLAGS) $^ $(LDFLAGS) -o $@

TESTS      += $(COMPARISONS)
TEST_NEEDS += $(COMPARISONS) $(BUILD)/verify/libcupti.so $(BUILD)/gpu/cupti_times.so $(BUILD)/gpu/gpu_kernels
