"""Writes `kafka.lock` anew: ``python -m deploy.embedded.lock [VERSION]`` (needs the package `jgo`).

jgo resolves what the broker depends on, as Maven would. It records checksums in a lock of its own but does
not hold downloads against them, so deploy/embedded/artifacts.py does. Review the difference before it is
committed.
"""

import hashlib
import sys
import tempfile
from pathlib import Path

from deploy.embedded.artifacts import Artifact

LOCK = Path(__file__).with_name("kafka.lock")
VERSION = "4.4.0"
HEADER = """\
# Apache Kafka {version} and what it needs at run time: Maven coordinates, SHA-256, size in bytes.
# Written by `python -m deploy.embedded.lock`; checked by deploy/embedded/artifacts.py at every download.
"""


def resolve(coordinates: str) -> list[Artifact]:
    """The artifact and its dependencies, resolved into an empty cache so that every byte is fresh."""
    from jgo.env import EnvironmentBuilder
    from jgo.maven import MavenContext

    with tempfile.TemporaryDirectory() as folder:
        context = MavenContext(repo_cache=Path(folder) / "repository")
        builder = EnvironmentBuilder(context=context, cache_dir=Path(folder) / "environments")
        environment = builder.from_endpoint(coordinates)
        lockfile = environment.lockfile
        if lockfile is None:
            raise RuntimeError(f"jgo resolved nothing for {coordinates}")
        files = {file.name: file for file in environment.path.rglob("*.jar")}
        return [locked(each.groupId, each.artifactId, each.version, files) for each in lockfile.dependencies]


def locked(group: str, name: str, version: str, files: dict[str, Path]) -> Artifact:
    """One artifact with the checksum and size of its file."""
    content = files[f"{name}-{version}.jar"].read_bytes()
    return Artifact(group, name, version, hashlib.sha256(content).hexdigest(), len(content))


def broker(version: str) -> list[Artifact]:
    """The broker with a logging backend.

    Apache's own distribution carries the backend; Maven's run-time scope leaves the choice to the user, and
    without one a broker that fails is silent. It is resolved apart, because its own version rules would
    move other versions.
    """
    artifacts = resolve(f"org.apache.kafka:kafka_2.13:{version}")
    log4j = next(each.version for each in artifacts if each.name == "log4j-core")
    backend = resolve(f"org.apache.logging.log4j:log4j-slf4j-impl:{log4j}")
    return [*artifacts, *(each for each in backend if each.name == "log4j-slf4j-impl")]


def main() -> None:
    """Resolve and write."""
    version = sys.argv[1] if len(sys.argv) > 1 else VERSION
    lines = sorted(artifact.line for artifact in broker(version))
    LOCK.write_text(HEADER.format(version=version) + "\n".join(lines) + "\n")
    sys.stderr.write(f"{LOCK.name}: {len(lines)} artifacts of Apache Kafka {version}\n")


if __name__ == "__main__":
    main()
