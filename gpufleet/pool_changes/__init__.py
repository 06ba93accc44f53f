"""What a run does to node pools that exist: kinds of change, the overlap of a rotation, the jobs that it would hit."""
