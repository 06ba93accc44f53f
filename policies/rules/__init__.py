"""One rule a file, named by its id. `policies.catalogue` finds them; nothing else lists them."""
