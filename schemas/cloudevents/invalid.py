"""What is wrong with something that was to be a CloudEvent."""


class InvalidCloudEvent(ValueError):
    """The input breaks a rule of the CloudEvents specification.

    ``attribute`` names the offender when there is one. The message never repeats the offending value:
    it goes to logs, problem documents and dead letters.
    """

    def __init__(self, reason: str, attribute: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.attribute = attribute


class UnsupportedFormat(InvalidCloudEvent):
    """A CloudEvents event format that we do not read, such as ``application/cloudevents+avro``."""
