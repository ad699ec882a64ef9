"""Where tools' code runs, and the files it works on."""
