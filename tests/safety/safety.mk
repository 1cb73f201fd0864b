# What a program under the preload must not notice, and what a kill must not cost.
SAFETY          := $(BUILD)/safety
SAFETY_CFLAGS   := $(CSTD) $(CFLAGS)
SAFETY_PROGRAMS := launcher calls lookups forks states auxv
SAFETY_PRELOADS := other_exports other_dlsym other_early count_malloc
SAFETY_LINKED   := calls-plt
SAFETY_NEEDS    := $(addprefix $(SAFETY)/,$(SAFETY_PROGRAMS) $(SAFETY_LINKED) ring_check \
	$(addsuffix .so,$(SAFETY_PRELOADS)) throws libthrow.so local_scope.so own_names)
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

# Its frames have something to clean up.
$(SAFETY)/states: SAFETY_CFLAGS += -fexceptions

$(SAFETY)/local_scope.so: tests/safety/local_scope.c $(BUILD)/fakecuda/libcuda.so
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(SAFETY_CFLAGS) -MF $@.d -fPIC -shared $< -o $@ $(LDFLAGS) -Wl,--no-as-needed -L$(BUILD)/fakecuda -lcuda -ldl

$(SAFETY)/libown.so: tests/safety/own_names.c
	$(call say,CC,$< (library))
	@mkdir -p $(@D)
	$(Q)$(CC) $(SAFETY_CFLAGS) -MF $@.d -DOWN_LIBRARY -fPIC -shared $< -o $@ $(LDFLAGS)

$(SAFETY)/own_names: tests/safety/own_names.c $(SAFETY)/libown.so
	$(call say,CC,$<)
	$(Q)$(CC) $(SAFETY_CFLAGS) -MF $@.d $< -o $@ $(LDFLAGS) -L$(SAFETY) -lown -Wl,-rpath,'$$ORIGIN'

$(SAFETY)/ring_check: tests/safety/ring_check.c $(READER_SRC)
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(SAFETY_CFLAGS) -MF $@.d $(filter %.c,$^) -o $@ $(LDFLAGS) -lzstd

# ---- other tools' preloads -----------------------------------------------------
$(SAFETY)/other_exports.so: SAFETY_DEFINE := -DOTHER_EXPORTS
$(SAFETY)/other_dlsym.so: SAFETY_DEFINE := -DOTHER_DLSYM
$(SAFETY)/other_early.so: SAFETY_DEFINE := -DOTHER_EARLY
$(SAFETY)/other_exports.so $(SAFETY)/other_dlsym.so $(SAFETY)/other_early.so: tests/safety/other_preload.c
$(SAFETY)/count_malloc.so: tests/safety/count_malloc.c
$(addprefix $(SAFETY)/,$(addsuffix .so,$(SAFETY_PRELOADS))):
	$(call say,CC,$< ($(@F)))
	@mkdir -p $(@D)
	$(Q)$(CC) $(SAFETY_CFLAGS) -MF $@.d $(SAFETY_DEFINE) -fPIC -shared $< -o $@ $(LDFLAGS) -ldl

# ---- a C++ program that throws across libraries ----------------------------------
$(SAFETY)/libthrow.so: tests/safety/throw_library.cc
	$(call say,CXX,$<)
	@mkdir -p $(@D)
	$(Q)$(CXX) -O2 -g -Wall -Wextra -MMD -MP -MF $@.d -fPIC -shared $< -o $@ $(LDFLAGS)

$(SAFETY)/throws: tests/safety/throws.cc
	$(call say,CXX,$<)
	@mkdir -p $(@D)
	$(Q)$(CXX) -O2 -g -Wall -Wextra -MMD -MP -MF $@.d $< -o $@ $(LDFLAGS) -ldl -lpthread

.PHONY: safety-programs
