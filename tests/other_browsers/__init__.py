"""The page in the engines of Firefox and Safari: an optional job, `make browsers`."""
