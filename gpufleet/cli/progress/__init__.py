"""What a person sees of a run: engine events become a model, the model becomes a tree, a summary and a document.

events -> `model.RunModel` -> `tree` (live), `plan` (what a preview says), `summary`, `document` (JSON); `live` owns the
terminal. Only `live` has a clock: everything else is a function of the events, so that tests replay recorded runs.
"""
