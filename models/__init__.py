"""Pictures in, mouth openness out: find faces, crop them, read them.

Public names load on first use, so that importing the package stays cheap.
"""
