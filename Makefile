.PHONY: demo test check
demo test check:
	@echo "make $@: set-up is being built" >&2; exit 1
