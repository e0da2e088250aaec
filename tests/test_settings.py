"""Settings: who wins, and what is said about a wrong one."""

import re
import ssl
from pathlib import Path
from typing import Any

import pytest

from meta_orchestrator.errors import SettingsError
from meta_orchestrator.policy import load_policy
from meta_orchestrator.settings import Settings, load_settings
from meta_orchestrator.wire.trust import Trust, generate, trust_entry, write_key

SASL = {"security_protocol": "SASL_SSL", "sasl_mechanism": "PLAIN", "username": "u", "password": "hush"}


def refusal(**flags: Any) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        load_settings(environment={}, **flags)
    return caught.value


def test_with_nothing_given_the_defaults_hold() -> None:
    assert load_settings(environment={}) == Settings()
    assert (Settings().broker, Settings().prefix, Settings().policy) == ("localhost:9092", "", None)


def test_a_flag_wins_over_the_environment_which_wins_over_the_file_which_wins_over_the_default(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('broker = "file:1"\nprefix = "file."\npolicy = "policy.toml"\n')
    environment = {"META_ORCHESTRATOR_BROKER": "env:2", "META_ORCHESTRATOR_PREFIX": "env."}
    seen = load_settings(file, environment, broker="flag:3", prefix=None)
    assert (seen.broker, seen.prefix, seen.policy) == ("flag:3", "env.", tmp_path / "policy.toml")
    assert (seen.trust, seen.security_protocol) == (None, "PLAINTEXT")


@pytest.mark.parametrize("name", ["broker", "policy", "trust", "key", "prefix", "security_protocol"])
def test_every_setting_has_its_environment_variable(name: str) -> None:
    value = {"broker": "a:1", "security_protocol": "SSL"}.get(name, "x")
    assert str(getattr(load_settings(environment={f"META_ORCHESTRATOR_{name.upper()}": value}), name)) == value


def test_an_empty_environment_variable_is_not_given() -> None:
    assert load_settings(environment={"META_ORCHESTRATOR_BROKER": "", "META_ORCHESTRATOR_TRUST": ""}) == Settings()


@pytest.mark.parametrize(("misspelt", "meant"), [("BROKERS", "BROKER"), ("POLCY", "POLICY"), ("PASSWRD", "PASSWORD")])
def test_a_misspelt_environment_variable_is_refused_without_showing_what_may_be_a_secret(
    misspelt: str, meant: str
) -> None:
    with pytest.raises(SettingsError, match=f"META_ORCHESTRATOR_{misspelt}.*META_ORCHESTRATOR_{meant}") as caught:
        load_settings(environment={f"META_ORCHESTRATOR_{misspelt}": "hunter2"})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("name", ["PORT", "SERVICE_HOST", "PORT_80_TCP_PROTO", "DATA_DIR", "HOME"])
def test_an_environment_variable_like_no_setting_is_somebody_elses(name: str) -> None:
    assert load_settings(environment={f"META_ORCHESTRATOR_{name}": "tcp://10.0.0.1:80"}) == Settings()


def test_an_empty_prefix_by_flag_takes_that_of_the_environment_away() -> None:
    assert load_settings(environment={"META_ORCHESTRATOR_PREFIX": "acme."}, prefix="").prefix == ""


@pytest.mark.parametrize("broker", ["localhost:9092", "a:1,b-2.example:65535", "[::1]:9092", "10.0.0.1:9092, b:2"])
def test_a_broker_is_one_or_more_addresses(broker: str) -> None:
    assert Settings(broker=broker).broker == broker


@pytest.mark.parametrize("broker", ["", "localhost", "kafka://a:1", "a:0", "a:65536", "a:1,", "a:b", "a:1;b:2"])
def test_a_wrong_broker_is_refused_with_what_is_right(broker: str) -> None:
    wrong = refusal(broker=broker)
    assert (wrong.key, wrong.value) == ("broker", broker)
    assert "HOST:PORT" in str(wrong)


@pytest.mark.parametrize("prefix", ["a/b", "a b", "ä", "x" * 101])
def test_a_prefix_that_no_topic_may_have_is_refused(prefix: str) -> None:
    assert refusal(prefix=prefix).key == "prefix"


@pytest.mark.parametrize(
    ("content", "key"),
    [("brokers = 'a:1'", "brokers"), ("broker = 3", "broker"), ("broker = ", "settings"), ("[kafka]\nx = 1", "kafka")],
)
def test_a_wrong_settings_file_names_the_key(tmp_path: Path, content: str, key: str) -> None:
    (tmp_path / "s.toml").write_text(content)
    assert refusal(settings=tmp_path / "s.toml").key == key


def test_a_settings_file_that_is_not_there_is_named() -> None:
    assert refusal(settings=Path("nowhere.toml")).value == "nowhere.toml"


def test_without_security_aiokafka_is_told_plaintext() -> None:
    assert Settings().kafka_options() == {"security_protocol": "PLAINTEXT"}


def test_sasl_over_tls_gives_aiokafka_all_that_it_needs() -> None:
    options = Settings(**SASL).kafka_options()  # type: ignore[arg-type]
    context = options.pop("ssl_context")
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname
    assert options == {
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "PLAIN",
        "sasl_plain_username": "u",
        "sasl_plain_password": "hush",
    }


async def _make(options: dict[str, Any]) -> None:
    from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

    await AIOKafkaProducer(bootstrap_servers="localhost:1", **options).stop()
    await AIOKafkaConsumer(bootstrap_servers="localhost:1", **options).stop()


@pytest.mark.parametrize(
    "given", [{}, {"security_protocol": "SSL"}, SASL, {**SASL, "security_protocol": "SASL_PLAINTEXT"}]
)
def test_aiokafka_takes_the_options(given: dict[str, Any]) -> None:
    import asyncio

    asyncio.run(_make(Settings(**given).kafka_options()))


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"security_protocol": "TLS"}, "security_protocol"),
        ({"security_protocol": "SASL_SSL"}, "sasl_mechanism"),
        ({**SASL, "sasl_mechanism": "GSSAPI"}, "sasl_mechanism"),
        ({**SASL, "username": None}, "username"),
        ({**SASL, "password": None}, "password"),
        ({**SASL, "security_protocol": "SSL"}, "sasl_mechanism"),
        ({"password": "hush"}, "password"),
        ({"ssl_cafile": Path("ca.pem")}, "ssl_cafile"),
    ],
)
def test_security_that_does_not_fit_together_is_refused(given: dict[str, Any], key: str) -> None:
    wrong = refusal(**given)
    assert wrong.key == key
    assert "hush" not in str(wrong)


def test_a_ca_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    for path in (tmp_path / "ca.pem", tmp_path / "nowhere.pem"):
        with pytest.raises(SettingsError, match="ssl_cafile"):
            Settings(security_protocol="SSL", ssl_cafile=path).kafka_options()


def test_the_password_is_never_shown() -> None:
    assert "hush" not in repr(Settings(**SASL))  # type: ignore[arg-type]


def test_keys_come_from_the_files_that_are_named(tmp_path: Path) -> None:
    key = generate("alice")
    write_key(tmp_path / "alice.key", key)
    (tmp_path / "trust.toml").write_text(trust_entry(key, "operator", ["*"], 0))
    seen = Settings(key=tmp_path / "alice.key", trust=tmp_path / "trust.toml")
    assert seen.signing_key().public == key.public
    assert set(seen.trusted_keys().keys) == {"alice"}


def test_without_a_key_nothing_can_be_signed_and_without_a_trust_file_nobody_is_believed() -> None:
    with pytest.raises(SettingsError, match="keys generate"):
        Settings().signing_key()
    assert Settings().trusted_keys() == Trust()


def test_a_key_that_the_policy_does_not_know_is_answered_with_those_that_it_knows(tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text("[pace]\nwarmup_s = 5\n")
    with pytest.raises(SettingsError, match=r"warmup_s = 5: .* \(did you mean warm_up_s\?\); known are warm_up_s, "):
        load_policy(tmp_path / "policy.toml")


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        (
            '[parameters."workflow.wip_limt"]\nmode = "enforce"',
            "wip_limt = .*built in .did you mean workflow.wip_limit",
        ),
        ('[parameters."workflow.wip_limit"]\nbounds = [1, 5]', "bounds = .*known are type, low, high, step, "),
        (
            "[[escalation]]\nmetric = 'dissent_rate'\nthreshold = 1\nfor = 1",
            "escalation.0.for = 1: .*known are metric, ",
        ),
        ("[[escalation]]\nthreshold = 1", "escalation.0.metric = .*must be given"),
        ('[project."checkout"]\nprofile = "crtical"', "profile = 'crtical': must be one of .*did you mean critical"),
    ],
)
def test_what_a_policy_names_wrong_is_told_with_the_path_and_with_what_is_right(
    tmp_path: Path, policy: str, said: str
) -> None:
    (tmp_path / "policy.toml").write_text(policy)
    with pytest.raises(SettingsError, match=said):
        load_policy(tmp_path / "policy.toml")


@pytest.mark.parametrize("line", ['pasword = "geheim"', '[kafka]\npassword = "geheim"', "password = 4711"])
def test_what_may_be_a_secret_is_not_shown(tmp_path: Path, line: str) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(line)
    with pytest.raises(SettingsError) as caught:
        load_settings(file, {})
    assert not re.search("geheim|4711", str(caught.value))
