"""A new release of the models, region by region: what changes, whether a region is ready, watching it, going back."""
