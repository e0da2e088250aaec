"""`evaluate` as a person runs it."""

from pathlib import Path

import orjson

from tests.cli.conftest import Run


def test_a_policy_is_evaluated_on_a_scenario_of_ones_choice(run: Run):
    Path("own.toml").write_text('[parameters."workflow.wip_limit"]\nmode = "enforce"\n')
    words = ("-s", "no_votes", "--quick", "--seeds", 1, "--days", 0.1)
    done = run("evaluate", *words, "--policy", "own.toml", "--html", "page.html", "--json", "raw.json")
    assert done.status == 0
    assert "no_votes" in done.out
    raw = orjson.loads(Path("raw.json").read_bytes())
    assert raw["policies"]["adaptive"]["parameters"]["workflow.wip_limit"]["mode"] == "enforce"
    assert raw["policies"]["adaptive"]["parameters"]["consensus.frequency"]["mode"] == "recommend"
    assert {run["arm"] for run in raw["runs"]} == {"static", "adaptive"}
    assert "<svg" in Path("page.html").read_text()


def test_a_scenario_that_is_not_there_is_one_sentence(run: Run):
    done = run("evaluate", "-s", "paradise")
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("meta-orchestrator: --scenario = 'paradise': must be one of nothing_wrong,")


def test_a_file_that_cannot_be_written_is_told_before_anything_runs(run: Run):
    done = run("evaluate", "--html", "nowhere/page.html")
    assert done.status == 2
    assert "--html = 'nowhere/page.html': must be a file that can be written" in done.err


def test_a_policy_that_is_wrong_is_one_sentence(run: Run):
    Path("wrong.toml").write_text("[pace]\nwarm_up = 3\n")
    done = run("evaluate", "--policy", "wrong.toml")
    assert done.status == 2
    assert "policy.pace.warm_up" in done.err
