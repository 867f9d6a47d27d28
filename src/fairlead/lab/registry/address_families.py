"""IP families of services; the lab's cluster has IPv4 alone."""

from __future__ import annotations

from fairlead.lab.registry import status
from fairlead.lab.registry.status import Cause
from fairlead.lab.registry.values import Object


def give(spec: Object) -> list[Cause]:
    """Set what a service with an address, or with "None", does not say of them; answers with what cannot be had."""
    open_ended = spec.get("clusterIP") == "None" and not spec.get("selector")
    if not spec.get("ipFamilyPolicy"):
        spec["ipFamilyPolicy"] = "RequireDualStack" if open_ended else "SingleStack"
    families = spec.get("ipFamilies") or ["IPv4"]
    single = spec["ipFamilyPolicy"] == "SingleStack"
    causes = []
    for index, address in enumerate(spec.get("clusterIPs", ())):
        if ":" in address:
            why = "IPv6 is not configured on this cluster"
            causes.append(status.invalid(f"spec.clusterIPs[{index}]", spec["clusterIPs"], why))
    if single and len(families) > 1:
        why = "must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified"
        causes.append(status.invalid("spec.ipFamilyPolicy", spec["ipFamilyPolicy"], why))
    if open_ended:
        if not single and len(families) == 1:
            families = [*families, "IPv6" if families[0] == "IPv4" else "IPv4"]
    else:
        if spec["ipFamilyPolicy"] == "RequireDualStack":
            why = "this cluster is not configured for dual-stack services"
            causes.append(status.invalid("spec.ipFamilyPolicy", spec["ipFamilyPolicy"], why))
        for index, family in enumerate(families):
            if family == "IPv6":
                why = "not configured on this cluster"
                causes.append(status.invalid(f"spec.ipFamilies[{index}]", family, why))
    spec["ipFamilies"] = families
    return causes
