# The lab's targets. The work is in tests/lab/lab; the settings are environment variables
# (WINDLASS_LAB_…), described in tests/lab/README.md.

LAB := tests/lab/lab

.PHONY: lab-up lab-down lab-reset lab-status lab-shell lab-build lab-clean lab-check

lab-up: ## start the lab's nodes (the first time: builds Kubernetes, about 15 minutes)
	@$(LAB) up

lab-down: ## remove the lab's nodes and all else but the cache
	@$(LAB) down

lab-reset: ## replace the lab's nodes by new ones
	@$(LAB) reset

lab-status: ## say what is up
	@$(LAB) status

lab-shell: ## a shell on a node: make lab-shell NODE=cp1
	@$(LAB) shell $(NODE)

lab-build: ## build what nodes start from, and start none
	@$(LAB) build

lab-clean: ## lab-down, and remove the cache
	@$(LAB) clean

lab-check: ## try the lab's scripts without starting anything
	@tests/lab/selftest
