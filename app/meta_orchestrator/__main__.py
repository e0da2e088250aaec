"""`python -m meta_orchestrator` is the command `meta-orchestrator`."""

from meta_orchestrator.cli.main import main

if __name__ == "__main__":
    main()
