"""Print the bill of materials: everything that is locked, with hashes, as CycloneDX."""

import typer


def sbom() -> None:
    """Print the bill of materials: everything that is locked, with hashes, as CycloneDX.

    Python's packages of all locks, and Kafka's jars. The image holds one of its own, made from what is
    installed in it: /opt/dora/sbom.cdx.json.

    \b
    Example:
      ./dora sbom > sbom.cdx.json
    """
    import json

    from deploy.sbom import bill

    typer.echo(json.dumps(bill(), indent=1))
