"""The policy packs of a run, and the configuration that each of them gets."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

PolicyPackOption = Annotated[
    list[Path] | None,
    typer.Option("--policy-pack", metavar="DIR", help="Policy pack to check against; repeatable.", file_okay=False),
]
PolicyPackConfigOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--policy-pack-config",
        metavar="FILE",
        help="Configuration of the pack in the same place; without, packs of policies/ get policies/config/ENV.json.",
        dir_okay=False,
    ),
]


def configured_packs(
    environment: str, packs: list[Path] | None, configs: list[Path] | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Absolute folders of packs, and one configuration file for each: the engine wants as many.

    Raises:
        ConfigurationError: a folder is no pack, or a configuration is missing or wrong.
    """
    if not packs and not configs:
        return (), ()
    from gpufleet.engine.project import ROOT
    from gpufleet.errors import ConfigurationError
    from policies import configuration
    from policies.catalogue import rules

    packs, configs = packs or [], configs or []
    for pack in packs:
        if not (pack / "PulumiPolicy.yaml").is_file():
            raise ConfigurationError(
                f"--policy-pack {pack}: no PulumiPolicy.yaml there", hint="Name the folder of a policy pack."
            )
    if configs and len(configs) != len(packs):
        raise ConfigurationError(
            f"{len(packs)} --policy-pack and {len(configs)} --policy-pack-config",
            hint="Give every pack one, in the same order, or give none.",
        )
    for config in configs:
        if not config.is_file():
            raise ConfigurationError(f"--policy-pack-config {config}: there is no such file", hint="Name a JSON file.")
    own = configuration.FOLDER / f"{environment}.json"
    found = list(configs)
    for pack in packs if not configs else ():
        ours = pack.resolve().parent == ROOT / "policies"
        # The engine reads an empty file as no configuration.
        found.append(own if ours and own.is_file() else Path(os.devnull))
    if own in found:
        configuration.load(environment, rules(), configuration.FOLDER)
    return tuple(str(pack.absolute()) for pack in packs), tuple(str(config.absolute()) for config in found)
