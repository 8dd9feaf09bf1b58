"""The release index: from a key (contributor, post) to the decisions that released something of it."""
