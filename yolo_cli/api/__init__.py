"""The Python API: what the commands do, with the same names for the same options.

Nothing here prints, exits or configures logging. Whatever a user can fix is raised as a `UserError`.
"""
