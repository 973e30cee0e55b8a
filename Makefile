# For hands that type make: each line is the command of the same name.
.PHONY: run test check
run test check:
	@./dev $@
