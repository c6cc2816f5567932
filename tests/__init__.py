"""The tests of the project; a package so that they share `tests.site`."""
