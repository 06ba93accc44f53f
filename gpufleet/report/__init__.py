"""Checks as text for people, as documents for programs, and in the forms that CI systems show: one function a form."""
