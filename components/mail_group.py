"""An action group that mails people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi
from pulumi_azure_native import monitor


def mail_group(
    name: str,
    *,
    action_group_name: str,
    resource_group_name: pulumi.Input[str],
    contacts: Sequence[str],
    tags: Mapping[str, str],
    opts: pulumi.ResourceOptions,
) -> monitor.ActionGroup:
    """An action group with a receiver for each address."""
    return monitor.ActionGroup(
        name,
        action_group_name=action_group_name,
        group_short_name="gpufleet",  # Azure allows 12 characters; it heads every mail
        resource_group_name=resource_group_name,
        location="Global",
        enabled=True,
        email_receivers=[
            monitor.MicrosoftCommonEmailReceiverArgs(
                name=f"contact-{number}", email_address=contact, use_common_alert_schema=True
            )
            for number, contact in enumerate(contacts, start=1)
        ],
        tags=tags,
        opts=opts,
    )
