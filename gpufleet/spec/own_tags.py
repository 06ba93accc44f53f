"""Keys of the Azure tags that the tool sets on every resource; an environment can't set them itself."""

from __future__ import annotations

OWNER = "owner"
COST_CENTER = "cost-center"
ENVIRONMENT = "environment"
CLASS = "class"
MANAGED_BY = "managed-by"

OWN_TAGS = (OWNER, COST_CENTER, ENVIRONMENT, CLASS, MANAGED_BY)
