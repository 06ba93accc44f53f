"""Rules of cost, scaling and platform: judged offline by `gpufleet check`, and by the engine as policy packs.

`rules/` holds one rule a file, each a pure function of the resource graph and its own settings; `cost/`, `scaling/` and
`platform/` are the Pulumi policy packs over them.
"""
