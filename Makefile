# Every target sets up what it needs; the second time nothing is installed.
# Another Python: make lab PYTHON=python3.12     Another port: make lab PORT=9123
PYTHON ?= python3
ARGS ?=

.PHONY: help lab handin reset progress test grade notebooks site readme bench lock upgrade
.DEFAULT_GOAL := help

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' Makefile

lab: ## set up the course and open it in JupyterLab
	@$(PYTHON) -m tools lab $(ARGS)

handin: ## make the file to hand in: make handin ARGS=--name=ada
	@$(PYTHON) -m tools handin $(ARGS)

reset: ## begin a notebook or an exercise anew: make reset ARGS=12
	@$(PYTHON) -m tools reset $(ARGS)

progress: ## show your progress and export it
	@$(PYTHON) -m tools progress $(ARGS)

test: ## set up and run every test
	@$(PYTHON) -m tools test $(ARGS)

grade: ## grade a cohort: make grade ARGS="SUBMISSIONS --out GRADES"
	@$(PYTHON) -m tools grade $(ARGS)

notebooks: ## run the notebooks again and store their outputs
	@$(PYTHON) -m tools notebooks $(ARGS)

site: ## build the static site, with live players, in site/
	@$(PYTHON) -m tools site $(ARGS)

readme: ## write README's tables from the data
	@$(PYTHON) -m tools readme $(ARGS)

bench: ## measure the lab beside other libraries
	@$(PYTHON) -m tools bench $(ARGS)

lock: ## resolve the versions in requirements.lock anew
	@$(PYTHON) -m tools lock $(ARGS)

upgrade: ## take the newest versions and run everything again
	@$(PYTHON) -m tools upgrade $(ARGS)
