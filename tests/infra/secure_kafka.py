"""A real broker behind TLS, SASL/SCRAM and Kafka's own authorizer: who is not allowed to is refused.

Its first listener, plain text, is for the tests themselves: there everybody is a super user.
"""

from collections.abc import Iterable
from pathlib import Path

from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.admin import DeleteAclsRequest

from access.kafka import Cluster
from deploy.embedded.kafka import Kafka
from deploy.embedded.ports import free_port
from deploy.kafka_acls import ALLOW, EVERYWHERE, OPERATIONS, PATTERNS, RESOURCES, Rule
from tests.infra.certificates import Authority

PASSWORDS = {
    name: f"{name}-s3cret-0123456789" for name in ("dora-ingress", "dora-worker", "dora-operator", "admin")
}
MECHANISM = "SCRAM-SHA-512"


class SecureKafka:
    """``sasl`` and ``mtls`` are addresses; ``inside`` is the super users' cluster."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority(folder / "certificates", "authority")
        self.stranger = Authority(folder / "certificates", "stranger")
        broker = self.authority.sign("broker", "127.0.0.1")
        self.operator = self.authority.sign("dora-operator")
        sasl, mtls = free_port(), free_port()
        self.sasl, self.mtls = f"127.0.0.1:{sasl}", f"127.0.0.1:{mtls}"
        self.kafka = Kafka(
            folder / "kafka",
            listeners={"CLIENTS": ("SASL_SSL", sasl), "MTLS": ("SSL", mtls)},
            properties={
                "ssl.keystore.type": "PEM",
                "ssl.keystore.location": broker,
                "ssl.truststore.type": "PEM",
                "ssl.truststore.location": self.authority.file,
                "listener.name.mtls.ssl.client.auth": "required",
                "listener.name.clients.sasl.enabled.mechanisms": MECHANISM,
                "listener.name.clients.scram-sha-512.sasl.jaas.config": (
                    "org.apache.kafka.common.security.scram.ScramLoginModule required;"
                ),
                "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                "super.users": "User:ANONYMOUS;User:admin",
            },
            users=[f"{MECHANISM}=[name={name},password={word}]" for name, word in PASSWORDS.items()],
        )

    @property
    def inside(self) -> Cluster:
        """The cluster as the tests see it: nothing is refused."""
        return Cluster(self.kafka.address)

    def environment(self, user: str, **settings: str) -> dict[str, str]:
        """The ``DORA_*`` settings by which a process enters as ``user``."""
        return {
            "DORA_KAFKA": self.sasl,
            "DORA_KAFKA_SECURITY": "SASL_SSL",
            "DORA_KAFKA_USERNAME": user,
            "DORA_KAFKA_PASSWORD": PASSWORDS[user],
            "DORA_KAFKA_CA_FILE": str(self.authority.file),
            **{f"DORA_{name.upper()}": value for name, value in settings.items()},
        }

    async def forbid(self, rules: Iterable[Rule]) -> None:
        """Take rights away."""
        client = AIOKafkaClient(**self.inside.options())
        try:
            await client.bootstrap()
            for rule in rules:
                answer = await client.send(client.get_random_node(), request(rule))
                (told,) = answer.filter_responses
                assert not told[0], told
                assert len(told[2]) == 1, f"{rule} was not there"
        finally:
            await client.close()


def request(rule: Rule) -> DeleteAclsRequest:
    """The filter that finds one rule."""
    return DeleteAclsRequest(
        RESOURCES[rule.resource],
        rule.name,
        PATTERNS[rule.pattern],
        rule.principal,
        EVERYWHERE,
        OPERATIONS[rule.operation],
        ALLOW,
    )
