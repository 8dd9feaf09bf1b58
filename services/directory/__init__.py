"""The post directory that this project brings for local use: what posts are, by their ids."""
