"""The live page, and the page for OBS: a web server for the analyses of one session."""
