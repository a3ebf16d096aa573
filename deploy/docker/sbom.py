"""What the image holds, as CycloneDX 1.6 JSON on standard output; kept as /opt/dora/sbom.cdx.json.

Made from the installed packages themselves, so that it cannot name what is not there.
"""

import json
import sys
from importlib.metadata import Distribution, distributions


def component(distribution: Distribution) -> dict[str, object]:
    """One package as a CycloneDX component."""
    name, version = distribution.metadata["Name"], distribution.version
    told = distribution.metadata.json.get("license_expression")
    purl = f"pkg:pypi/{name.lower().replace('_', '-')}@{version}"
    licences = {"licenses": [{"expression": told}]} if told else {}
    return {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "purl": purl,
        **licences,
    }


def bill() -> dict[str, object]:
    """The whole document, without time and serial number: the same packages make the same file."""
    components = sorted(map(component, distributions()), key=lambda each: str(each["bom-ref"]))
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": "dora-events"}},
        "components": components,
    }


if __name__ == "__main__":
    json.dump(bill(), sys.stdout, indent=1)
