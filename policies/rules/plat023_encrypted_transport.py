"""PLAT023: TLS."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from policies.rule import Objection, Pack, Rule, Scope, Settings, Severity
from policies.view import Resource, View

_ACCOUNT = "azure-native:storage:StorageAccount"
_ROUTE = "azure-native:cdn:Route"
_DOMAIN = "azure-native:cdn:AFDCustomDomain"


class EncryptedTransportSettings(Settings):
    """What PLAT023 takes for safe."""

    storage_tls: tuple[str, ...] = ("TLS1_2", "TLS1_3")
    """Values of `minimumTlsVersion` of storage accounts."""
    front_door_tls: tuple[str, ...] = ("TLS12", "TLS13")
    """Values of `tlsSettings.minimumTlsVersion` of Front Door's custom domains."""
    http_accounts: tuple[str, ...] = ()
    """Logical names of storage accounts that are mounted by NFS 3.0, which has no encryption. Name each one."""


class EncryptedTransport(Rule[Resource, EncryptedTransportSettings]):
    """Storage and Front Door take HTTPS alone, with TLS 1.2 or later, and Front Door speaks HTTPS to its origins.

    Unless stated otherwise a storage account takes TLS 1.0, and a Front Door route forwards by the protocol that it was
    asked by: prompts, answers and tokens then cross the internet between edge and region in the clear. NFS 3.0 is never
    encrypted; accounts that are mounted so are named in the settings.
    """

    id = "PLAT023"
    pack = Pack.PLATFORM
    severity = Severity.HIGH
    scope = Scope.RESOURCE
    fix = (
        "Set minimumTlsVersion TLS1_2 and HTTPS only; on routes httpsRedirect Enabled and forwardingProtocol HttpsOnly"
    )
    source = "storage API specification 2024-01-01, cdn API specification 2025-06-01, front-door-how-to-redirect-https"
    settings = EncryptedTransportSettings

    def subjects(self, view: View) -> Iterable[Resource]:
        """Storage accounts, Front Door routes and custom domains."""
        return view.resources(_ACCOUNT, _ROUTE, _DOMAIN)

    def judge(self, subject: Resource, view: View, settings: EncryptedTransportSettings) -> Iterator[Objection]:
        """Protocols and versions."""
        name, properties = subject.node.name, subject.properties
        if subject.type == _ROUTE:
            forwarding = properties.text("forwardingProtocol") or "MatchRequest"
            if forwarding != "HttpsOnly":
                yield Objection(message=f"{name} has forwardingProtocol {forwarding}")
            redirects = (properties.text("httpsRedirect") or "Enabled") == "Enabled"
            if not redirects and properties.texts("supportedProtocols") != ("Https",):
                yield Objection(message=f"{name} takes HTTP and has httpsRedirect Disabled")
            return
        if subject.type == _DOMAIN:
            allowed = settings.front_door_tls
            version = properties.text("tlsSettings", "minimumTlsVersion") or "TLS12"
        else:
            allowed = settings.storage_tls
            if name not in settings.http_accounts and properties.flag("enableHttpsTrafficOnly") is False:
                yield Objection(message=f"{name} takes HTTP (enableHttpsTrafficOnly is false)")
            version = properties.text("minimumTlsVersion") or "TLS1_0"
        if version not in allowed:
            yield Objection(message=f"{name} has minimumTlsVersion {version}, and allowed are {', '.join(allowed)}")
