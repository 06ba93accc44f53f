"""The forms of a cost report: for terminals, programs, pull requests, spreadsheets and browsers."""
